/* A hash table of strings.
 * It isn't a "library"; don't ask.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "table_config.h"

#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define SWAP(type, a, b)        \
    do {                        \
        type tmp_ = (a);        \
        (a) = (b);              \
        (b) = tmp_;             \
    } while (0)
#define STR(x) #x
#define GREETING "it's \"quoted\""
#pragma once
#if 0
#error "not here"
#endif

typedef unsigned long long u64;

enum kind { KIND_NONE = 0, KIND_TEXT = 'T', KIND_QUOTE = '\'', KIND_BACK = '\\' };

struct entry {
    char *key;
    union {
        int number;
        double real;
    } value;
    unsigned flags : 3;
    struct entry *next;
};

struct table {
    size_t size, used;
    struct entry **slots;
    int (*compare)(const void *, const void *);
};

static const char *const names[] = {
    [KIND_NONE] = "none",
    "a string "
    "in two parts // no comment",
    "line one\
 line two",
    L"wide" "\x41\n",
};

static u64 hash(const char *text)
{
    u64 h = 14695981039346656037ULL;
    for (; *text; text++) {
        h ^= (unsigned char)*text;
        h *= 1099511628211ULL;
    }
    return h; // a line comment with "quotes
}

static struct entry *find(const struct table *t, const char *key)
{
    struct entry *e = t->slots[hash(key) % t->size];
    while (e != NULL && strcmp(e->key, key) != 0)
        e = e->next;
    return e;
}

int table_put(struct table *t, const char *key, int number)
{
    struct entry *e = find(t, key);
    if (e) {
        e->value.number = number;
        return 0;
    }
    if (!(e = calloc(1, sizeof *e)))
        goto failed;
#ifdef HAVE_STRDUP
    e->key = strdup(key);
#else
    e->key = malloc(strlen(key) + 1);
#endif
    if (e->key == NULL)
        goto failed;
    e->next = t->slots[hash(key) % t->size];
    t->slots[hash(key) % t->size] = e;
    t->used++;
    return 1;

failed:
    fprintf(stderr, "out of memory: %s\n", GREETING);
    free(e);
    return -1;
}

static int classify(int c)
{
    switch (c) {
    case '"':
    case '\'':
        return KIND_QUOTE;
    case 'z': {
        int even = c % 2 == 0;
        return even ? KIND_TEXT : KIND_NONE;
    }
    default:
        break;
    }
    return 100 / 3 /* a / b */ / 2;
}

int main(int argc, char **argv)
{
    struct table t = { .size = 64, .slots = calloc(64, sizeof(struct entry *)) };
    int a = 1, b = 2;
    SWAP(int, a, b);
    for (int i = 1; i < argc; ++i)
        table_put(&t, argv[i], MAX(i, a) << 1);
    printf("%zu %d %s\n", t.used, classify(argv[0][0]), names[b & 1]);
    return t.used > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
#endif /* TABLE_H */
