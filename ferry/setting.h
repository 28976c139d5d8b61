/* setting.h: describes one value of the configuration: its name, kind, place in a struct, range and
 * default. Parsing, errors and the test of the documentation all use it. Pure, any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    FERRY_SETTING_BOOL,         /* bool; with @words: words[0] is false, words[1] is true */
    FERRY_SETTING_UINT,         /* guint from @min to @max */
    FERRY_SETTING_SIZE,         /* guint64 from @min to @max */
    FERRY_SETTING_SECONDS,      /* guint of milliseconds from @min to @max, written in seconds */
    FERRY_SETTING_HOURS,        /* guint of seconds from @min to @max, written in hours */
    FERRY_SETTING_WORD,         /* an enum: the index in @words */
    FERRY_SETTING_TEXT,         /* char *, never empty; with @words one of them */
    FERRY_SETTING_TEXT_OR_NONE, /* char *, NULL when empty */
    FERRY_SETTING_LIST,         /* char **, separated by commas, at least one */
    FERRY_SETTING_PATHS,        /* char **, separated by colons, absolute, at least one */
} FerrySettingKind;

typedef struct {
    const char *name; /* NULL ends a table */
    FerrySettingKind kind;
    size_t offset;
    guint64 min;
    guint64 max;
    const char *const *words; /* NULL-terminated, or NULL */
    /* For texts: a further rule, and how an error describes it. Both or none. */
    bool (*check)(const char *text);
    const char *expected;
    const char
        *fallback; /* the default, as a file would have it; NULL: none, or known at run time */
} FerrySetting;

/** Returns: the setting of this name in @table, or NULL. */
const FerrySetting *ferry_setting_find(const FerrySetting *table, const char *name);

/**
 * ferry_setting_parse:
 * @base: the struct that @setting's offset belongs to; unchanged on failure
 * @error: FERRY_ERROR_CONFIG: "key = 'found': expected ..."
 */
bool ferry_setting_parse(const FerrySetting *setting,
                         const char *text,
                         gpointer base,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Gives every setting of @table its default in @base, whose bytes must be zero. */
void ferry_setting_apply_defaults(const FerrySetting *table, gpointer base);

/** Frees what the settings of @table own in @base. */
void ferry_setting_clear_all(const FerrySetting *table, gpointer base);

/** Duplicates what the settings of @table own in @base, a byte-wise copy of another struct. */
void ferry_setting_own_all(const FerrySetting *table, gpointer base);
