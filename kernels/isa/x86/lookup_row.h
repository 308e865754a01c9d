/* A table of 256 bytes by AVX-512BW: the table is 128 words in four registers, a byte's upper 7 bits pick a word and
 * its lowest bit a half of it. Even and odd bytes of a vector are looked up apart.
 *
 * Included by a tier's translation unit through isa/rows_template.h. */
#ifndef EDGECORE_ISA_X86_LOOKUP_ROW_H
#define EDGECORE_ISA_X86_LOOKUP_ROW_H

#include <immintrin.h>
#include <string.h>

#include "isa/tier.h"

typedef struct word_table {
    __m512i words[4];
} word_table;

/* Words for indices in the low 7 bits of each 16-bit lane; bits above are ignored but for `upper`, which is bit 6. */
static inline __m512i words_at(const word_table *table, __m512i index, __mmask32 upper)
{
    const __m512i low = _mm512_permutex2var_epi16(table->words[0], index, table->words[1]);
    const __m512i high = _mm512_permutex2var_epi16(table->words[2], index, table->words[3]);
    return _mm512_mask_blend_epi16(upper, low, high);
}

static inline __m512i lookup_64(const word_table *table, __m512i bytes)
{
    const __m512i eight = _mm512_set1_epi16(8), low_byte = _mm512_set1_epi16(0xff);
    const __m512i even_words = words_at(table, _mm512_srli_epi16(bytes, 1),
                                        _mm512_test_epi16_mask(bytes, _mm512_set1_epi16(0x80)));
    const __m512i odd_words = words_at(table, _mm512_srli_epi16(bytes, 9), _mm512_movepi16_mask(bytes));
    const __m512i even_shift = _mm512_and_si512(_mm512_slli_epi16(bytes, 3), eight);
    const __m512i odd_shift = _mm512_andnot_si512(_mm512_srli_epi16(bytes, 5), eight);
    const __m512i even = _mm512_srlv_epi16(even_words, even_shift);
    const __m512i odd = _mm512_sllv_epi16(odd_words, odd_shift);
    return _mm512_ternarylogic_epi32(low_byte, even, odd, 0xCA); /* low bytes of even, high bytes of odd */
}

static void lookup_row(uint8_t *out, const uint8_t *in, size_t n, const uint8_t table[256])
{
    word_table words;
    for (int i = 0; i < 4; i++)
        words.words[i] = _mm512_loadu_si512(table + 64 * i);
    size_t i = 0;
    for (; i + 64 <= n; i += 64)
        _mm512_storeu_si512(out + i, lookup_64(&words, _mm512_loadu_si512(in + i)));
    if (i < n) {
        const __mmask64 rest = (__mmask64)(~UINT64_C(0) >> (64 - (n - i)));
        _mm512_mask_storeu_epi8(out + i, rest, lookup_64(&words, _mm512_maskz_loadu_epi8(rest, in + i)));
    }
}

#endif
