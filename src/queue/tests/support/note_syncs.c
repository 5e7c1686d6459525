/* Loaded into a program by LD_PRELOAD: appends to the file $SYNCS a line for each sync of a file or a
 * folder that has succeeded: how long the file was when the sync began, and its path. Each sync takes $SYNC_MS
 * milliseconds longer. What lies behind the longest of them is lost when the power is cut. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int sync_and_note(int fd, const char *name)
{
    int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    struct stat before;
    int is_noted = fstat(fd, &before) == 0 && (S_ISREG(before.st_mode) || S_ISDIR(before.st_mode));
    const char *delay = getenv("SYNC_MS"), *syncs = getenv("SYNCS");
    if (delay != NULL)
        usleep(1000 * atoi(delay));
    int result = sync(fd);
    if (result != 0 || !is_noted || syncs == NULL)
        return result;

    char link[64], path[4096], line[4200];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    int log = open(syncs, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (length < 0 || log < 0)
        abort();
    path[length] = 0;
    length = snprintf(line, sizeof line, "%lld %s\n", (long long)before.st_size, path);
    if (write(log, line, length) != length)
        abort();
    close(log);
    return result;
}

int fsync(int fd)
{
    return sync_and_note(fd, "fsync");
}

int fdatasync(int fd)
{
    return sync_and_note(fd, "fdatasync");
}
