/* The one way an error text is made. */
#include "ops/op.h"

#include <stdarg.h>
#include <stdio.h>

edgecore_status edgecore_fail(edgecore_message *message, edgecore_status status, const char *format, ...)
{
    if (message) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(message->text, sizeof message->text, format, arguments);
        va_end(arguments);
    }
    return status;
}
