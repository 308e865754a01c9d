/* A table of 256 bytes, by shuffles.
 *
 * AVX-512BW: the table is 128 words in four registers, a byte's upper 7 bits pick a word and its lowest bit a half of
 * it. Even and odd bytes of a vector are looked up apart.
 *
 * AVX2: the table is 16 parts of 16 bytes. An index is lowered by 16 from part to part; a shuffle takes its low 4 bits
 * while it is not negative, and gives 0 afterwards. Each part holds its difference (xor) to the one before, so that the
 * xor of all that was taken is the byte of the last part that the index reached. Indices from 128 on are negative from
 * the start; they take the upper 8 parts in the same way after their top bit is turned.
 *
 * Included by a tier's translation unit through isa/rows_template.h. */
#ifndef EDGECORE_ISA_X86_LOOKUP_ROW_H
#define EDGECORE_ISA_X86_LOOKUP_ROW_H

#include <immintrin.h>
#include <string.h>

#include "isa/tier.h"

#if defined(__AVX512BW__)
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
#else
static void plain_lookup(uint8_t *out, const uint8_t *in, size_t n, const uint8_t table[256])
{
    for (size_t i = 0; i < n; i++)
        out[i] = table[in[i]];
}

static inline __m256i lookup_half(const __m256i parts[8], __m256i index)
{
    __m256i found = _mm256_shuffle_epi8(parts[0], index);
    for (int k = 1; k < 8; k++) {
        index = _mm256_subs_epi8(index, _mm256_set1_epi8(16));
        found = _mm256_xor_si256(found, _mm256_shuffle_epi8(parts[k], index));
    }
    return found;
}

static void lookup_row(uint8_t *out, const uint8_t *in, size_t n, const uint8_t table[256])
{
    /* Below this the parts cost more than they save. */
    if (n < 64) {
        plain_lookup(out, in, n, table);
        return;
    }
    __m256i parts[16];
    __m128i before = _mm_setzero_si128();
    for (int k = 0; k < 16; k++) {
        const __m128i part = _mm_loadu_si128((const __m128i *)(table + 16 * k));
        parts[k] = _mm256_broadcastsi128_si256(k == 8 ? part : _mm_xor_si128(part, before));
        before = part;
    }
    const __m256i top = _mm256_set1_epi8((char)0x80);
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m256i bytes = _mm256_loadu_si256((const __m256i *)(in + i));
        const __m256i low = lookup_half(parts, bytes), high = lookup_half(parts + 8, _mm256_xor_si256(bytes, top));
        _mm256_storeu_si256((__m256i *)(out + i), _mm256_xor_si256(low, high));
    }
    plain_lookup(out + i, in + i, n - i, table);
}
#endif

#endif
