/*
 * A disk that forgets. Preloaded into the server, it lets every file operation below $POWERCUT_DATA through and keeps a second
 * copy of the directory in $POWERCUT_SHADOW that holds only what was synced. When the process is killed, the shadow is what a
 * power cut would have left behind:
 *
 *   - bytes written since a file's last fsync or fdatasync are missing,
 *   - except that some of them ($POWERCUT_LEAK in a thousand writes) reached the platter early, whole or torn,
 *   - a rename or unlink is undone unless its directory, or the file of that name, was synced afterwards.
 *
 * $POWERCUT_CONTROL is a small shared file: it counts syncs and lets the test take the disk away while the server runs.
 * Shared memory files (-shm) are not part of what a disk keeps and pass through untouched.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FDS 65536
#define SECTOR 512

struct control {
    uint64_t wal_syncs, other_syncs, writes;
    int64_t space;    /* bytes that may still be written */
    int64_t readonly; /* every write is EROFS */
    int64_t sync_error; /* every sync is EIO, and what it should have kept stays unsynced */
    int64_t taken;    /* thousandths of the disk said to be in use; 0: as it really is */
};

struct op {
    struct op *next;
    off_t offset;
    size_t length; /* of data; without data: the size to cut or extend the file to is `offset` */
    char *data;
};

struct file {
    struct file *next;
    char *path;
    struct op *first, **last;
    int fresh; /* created since the server started and never synced: not in the shadow yet */
    int directory;
};

struct entry { /* a rename or an unlink that no directory sync has made lasting */
    struct entry *next;
    char *from, *to;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static struct file *open_files[FDS];
static struct entry *entries, **last_entry = &entries;
static struct control none = {0, 0, 0, INT64_MAX, 0, 0, 0}, *control = &none;
static const char *data_dir, *shadow_dir;
static unsigned leak, delay_us;
static uint64_t dice;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_unlink)(const char *);
static int (*real_statvfs)(const char *, struct statvfs64 *);

__attribute__((constructor)) static void start(void) {
    real_open = dlsym(RTLD_NEXT, "open64");
    real_openat = dlsym(RTLD_NEXT, "openat64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_statvfs = dlsym(RTLD_NEXT, "statvfs64");

    const char *path = getenv("POWERCUT_CONTROL");
    if (path) {
        int fd = real_open(path, O_RDWR);
        void *shared = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (fd < 0 || shared == MAP_FAILED) abort();
        real_close(fd);
        control = shared;
    }
    const char *number = getenv("POWERCUT_LEAK");
    leak = number ? (unsigned)atoi(number) : 0;
    number = getenv("POWERCUT_DELAY_US");
    delay_us = number ? (unsigned)atoi(number) : 0;
    number = getenv("POWERCUT_SEED");
    dice = (number ? strtoull(number, NULL, 10) : (uint64_t)time(NULL) ^ (uint64_t)getpid()) * 2654435761u | 1;
    shadow_dir = getenv("POWERCUT_SHADOW");
    data_dir = getenv("POWERCUT_DATA");
}

static uint64_t roll(void) {
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice;
}

static int ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static int is_watched(const char *path) {
    if (!data_dir || !path) return 0;
    size_t length = strlen(data_dir);
    return strncmp(path, data_dir, length) == 0 && (path[length] == '/' || path[length] == 0) && !ends_with(path, "-shm");
}

static struct file *file_at(const char *path) {
    struct file *file;
    for (file = files; file; file = file->next)
        if (strcmp(file->path, path) == 0) return file;
    return NULL;
}

static void forget(struct file *file) {
    while (file->first) {
        struct op *op = file->first;
        file->first = op->next;
        free(op->data);
        free(op);
    }
    file->last = &file->first;
}

static int shadow_open(const struct file *file, int flags) {
    char path[4096];
    snprintf(path, sizeof path, "%s%s", shadow_dir, file->path + strlen(data_dir));
    return real_open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
}

static void shadow_apply(int fd, const struct op *op, size_t length) {
    if (!op->data) {
        if (real_ftruncate(fd, op->offset) != 0) abort();
    } else if (real_pwrite(fd, op->data, length, op->offset) != (ssize_t)length) {
        abort();
    }
}

/* Called with the lock held: remembers a write or truncation until the file's next sync. */
static void note(struct file *file, const void *bytes, size_t length, off_t offset) {
    struct op *op = calloc(1, sizeof *op);
    op->offset = offset;
    op->length = length;
    if (bytes) {
        op->data = malloc(length ? length : 1);
        memcpy(op->data, bytes, length);
    }
    *file->last = op;
    file->last = &op->next;
    if (bytes && !file->fresh && leak && roll() % 1000 < leak) {
        size_t early = roll() % 2 ? length : length / SECTOR ? SECTOR * (roll() % (length / SECTOR)) : length / 2;
        int fd = shadow_open(file, 0);
        shadow_apply(fd, op, early);
        real_close(fd);
    }
}

static void sync_entries(void) {
    while (entries) {
        struct entry *entry = entries;
        char from[4096], to[4096];
        snprintf(from, sizeof from, "%s%s", shadow_dir, entry->from + strlen(data_dir));
        if (entry->to) {
            snprintf(to, sizeof to, "%s%s", shadow_dir, entry->to + strlen(data_dir));
            real_rename(from, to);
        } else {
            real_unlink(from);
        }
        entries = entry->next;
        free(entry->from);
        free(entry->to);
        free(entry);
    }
    last_entry = &entries;
}

/* Syncing a file makes its own name last, and with it what happened to names before. */
static void sync_entries_of(const char *path) {
    for (struct entry *entry = entries; entry; entry = entry->next)
        if (strcmp(entry->from, path) == 0 || (entry->to && strcmp(entry->to, path) == 0)) {
            sync_entries();
            return;
        }
}

static void pause_a_little(void) {
    if (delay_us) usleep((useconds_t)(roll() % delay_us));
}

static int sync_file(int fd, int (*real)(int)) {
    struct file *file = fd >= 0 && fd < FDS ? open_files[fd] : NULL;
    if (!file) return real(fd);
    pause_a_little();
    pthread_mutex_lock(&lock);
    if (control->sync_error) {
        pthread_mutex_unlock(&lock);
        errno = EIO;
        return -1;
    }
    if (file->directory) {
        sync_entries();
    } else {
        __atomic_add_fetch(ends_with(file->path, "-wal") ? &control->wal_syncs : &control->other_syncs, 1, __ATOMIC_SEQ_CST);
        sync_entries_of(file->path);
        int shadow = shadow_open(file, file->fresh ? O_TRUNC : 0);
        if (shadow < 0) abort();
        file->fresh = 0;
        while (file->first) {
            struct op *op = file->first;
            shadow_apply(shadow, op, op->length);
            file->first = op->next;
            free(op->data);
            free(op);
        }
        file->last = &file->first;
        real_close(shadow);
    }
    pthread_mutex_unlock(&lock);
    pause_a_little();
    return 0;
}

int fsync(int fd) { return sync_file(fd, real_fsync); }
int fdatasync(int fd) { return sync_file(fd, real_fdatasync); }

static int opened(int fd, const char *path, int existed) {
    if (fd < 0 || fd >= FDS || !is_watched(path)) return fd;
    struct stat about;
    if (fstat(fd, &about) != 0 || !(S_ISREG(about.st_mode) || S_ISDIR(about.st_mode))) return fd;
    pthread_mutex_lock(&lock);
    struct file *file = file_at(path);
    if (!file) {
        file = calloc(1, sizeof *file);
        file->path = strdup(path);
        file->last = &file->first;
        file->next = files;
        files = file;
    }
    if (!existed) {
        forget(file);
        file->fresh = 1;
    }
    file->directory = S_ISDIR(about.st_mode);
    open_files[fd] = file;
    pthread_mutex_unlock(&lock);
    return fd;
}

static int refused(const char *path, int flags) {
    if (!control->readonly || !is_watched(path) || !(flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))) return 0;
    errno = EROFS;
    return 1;
}

static int open_any(const char *path, int flags, mode_t mode) {
    struct stat about;
    if (refused(path, flags)) return -1;
    int existed = stat(path, &about) == 0;
    int fd = opened(real_open(path, flags, mode), path, existed);
    if (fd >= 0 && fd < FDS && open_files[fd] && existed && flags & O_TRUNC) {
        pthread_mutex_lock(&lock);
        note(open_files[fd], NULL, 0, 0);
        pthread_mutex_unlock(&lock);
    }
    return fd;
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

#define OPEN(name)                                  \
    int name(const char *path, int flags, ...) {    \
        va_list rest;                               \
        va_start(rest, flags);                      \
        mode_t mode = mode_of(flags, rest);         \
        va_end(rest);                               \
        return open_any(path, flags, mode);         \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                             \
    int name(int dir, const char *path, int flags, ...) {        \
        va_list rest;                                            \
        va_start(rest, flags);                                   \
        mode_t mode = mode_of(flags, rest);                      \
        va_end(rest);                                            \
        if (path[0] == '/') return open_any(path, flags, mode);  \
        return real_openat(dir, path, flags, mode);              \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    if (fd >= 0 && fd < FDS && open_files[fd]) {
        pthread_mutex_lock(&lock);
        open_files[fd] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return real_close(fd);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t offset, int advance) {
    struct file *file = fd >= 0 && fd < FDS ? open_files[fd] : NULL;
    if (!file) return advance ? real_write(fd, bytes, length) : real_pwrite(fd, bytes, length, offset);
    if (control->readonly || (int64_t)length > control->space) {
        errno = control->readonly ? EROFS : ENOSPC;
        return -1;
    }
    pthread_mutex_lock(&lock);
    if (advance) offset = fcntl(fd, F_GETFL) & O_APPEND ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
    ssize_t written = advance ? real_write(fd, bytes, length) : real_pwrite(fd, bytes, length, offset);
    if (written > 0) {
        __atomic_add_fetch(&control->writes, 1, __ATOMIC_SEQ_CST);
        if (control->space != INT64_MAX) __atomic_sub_fetch(&control->space, (int64_t)written, __ATOMIC_SEQ_CST);
        note(file, bytes, (size_t)written, offset);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t write(int fd, const void *bytes, size_t length) { return write_at(fd, bytes, length, 0, 1); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return write_at(fd, bytes, length, offset, 0); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) { return write_at(fd, bytes, length, offset, 0); }

static int truncate_open(int fd, off_t size) {
    struct file *file = fd >= 0 && fd < FDS ? open_files[fd] : NULL;
    if (!file) return real_ftruncate(fd, size);
    if (control->readonly) {
        errno = EROFS;
        return -1;
    }
    pthread_mutex_lock(&lock);
    int result = real_ftruncate(fd, size);
    if (result == 0) note(file, NULL, 0, size);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t size) { return truncate_open(fd, size); }
int ftruncate64(int fd, off_t size) { return truncate_open(fd, size); }

static void note_entry(const char *from, const char *to) {
    struct entry *entry = calloc(1, sizeof *entry);
    entry->from = strdup(from);
    entry->to = to ? strdup(to) : NULL;
    *last_entry = entry;
    last_entry = &entry->next;
}

int rename(const char *from, const char *to) {
    if (!is_watched(from) || !is_watched(to)) return real_rename(from, to);
    if (control->readonly) {
        errno = EROFS;
        return -1;
    }
    pthread_mutex_lock(&lock);
    int result = real_rename(from, to);
    if (result == 0) {
        struct file *file = file_at(from), *old = file_at(to);
        if (old) {
            forget(old);
            free(old->path);
            old->path = strdup("");
        }
        if (file) {
            free(file->path);
            file->path = strdup(to);
        }
        note_entry(from, to);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path) {
    if (!is_watched(path)) return real_unlink(path);
    if (control->readonly) {
        errno = EROFS;
        return -1;
    }
    pthread_mutex_lock(&lock);
    int result = real_unlink(path);
    if (result == 0) {
        struct file *file = file_at(path);
        if (file) forget(file);
        note_entry(path, NULL);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int statvfs64(const char *path, struct statvfs64 *about) {
    int result = real_statvfs(path, about);
    if (result == 0 && control->taken && is_watched(path))
        about->f_bavail = about->f_bfree = about->f_blocks / 1000 * (fsblkcnt64_t)(1000 - control->taken);
    return result;
}
