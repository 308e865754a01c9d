#!/bin/sh
# Prints the Python that edgecore's virtual environment is made with. When something is missing it says what,
# and which package brings it, and exits with 1. PYTHON in the environment names the only candidate.
set -u

fail() {
    echo "edgecore: $1" >&2
    [ $# -gt 1 ] && echo "    $2" >&2
    exit 1
}

install() {
    if command -v apt-get >/dev/null 2>&1; then
        echo "install it with: sudo apt install $1"
    elif command -v dnf >/dev/null 2>&1; then
        echo "install it with: sudo dnf install $2"
    else
        echo "install your system's counterpart of Debian's $1"
    fi
}

# 3.11 comes first: it is the only version for which tflite-runtime 2.14, the reference of the exactness tests, has
# wheels. A candidate is run, not only looked up: the shims of version managers exist for versions that are switched off.
python=""
for candidate in ${PYTHON:-python3.11 python3 python3.12 python3.13}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$(command -v "$candidate")
        break
    fi
done
if [ -z "$python" ]; then
    if [ -n "${PYTHON:-}" ]; then
        fail "PYTHON=$PYTHON is not a Python 3.11 or later" "name another one, e.g. make PYTHON=python3.11 demo"
    fi
    fail "no Python 3.11 or later was found" "$(install python3 python3.11)"
fi

"$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
    fail "$python cannot make virtual environments" "$(install python3-venv python3)"

header=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include") + "/Python.h")')
[ -f "$header" ] || fail "the headers of $python are missing ($header)" "$(install python3-dev python3-devel)"

compiler=""
for candidate in ${CC:-cc gcc clang}; do
    if command -v "$candidate" >/dev/null 2>&1; then
        compiler=$candidate
        break
    fi
done
[ -n "$compiler" ] || fail "no C compiler was found" "$(install build-essential gcc)"
object=$(mktemp) || fail "no temporary file could be made" "free some space in ${TMPDIR:-/tmp}"
printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' | "$compiler" -x c -o "$object" - >/dev/null 2>&1
status=$?
rm -f "$object"
[ $status -eq 0 ] || fail "$compiler cannot build a program" "$(install build-essential 'gcc glibc-devel')"

echo "$python"
