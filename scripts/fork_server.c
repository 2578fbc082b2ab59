/* Starts one program many times without loading its libraries anew: LibTorch's take half a second.
 *
 *     cc -shared -fPIC -O1 -o fork_server.so scripts/fork_server.c
 *     LD_PRELOAD=./fork_server.so PTQ_FORK_SERVER=1 PROGRAM
 *
 * Where main would begin, it waits on standard input for commands: four bytes with the length, then
 * texts that end with NUL, first the file for standard error, then the arguments. Each command is a
 * child that goes on into main, and ends with it: LibTorch takes as long again to tidy up. The answers are three numbers of 64 bits a command: its process
 * as soon as it lives; then its status, and its usage (processor microseconds, most KiB).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int (*Main)(int, char**, char**);
typedef int (*Start)(Main, int, char**, void (*)(void), void (*)(void), void (*)(void), void*);

static int read_all(void* to, size_t size) {
  char* at = to;
  while (size > 0) {
    const ssize_t got = read(0, at, size);
    if (got <= 0) return 0;
    at += got;
    size -= (size_t)got;
  }
  return 1;
}

static void answer(int file, int64_t a, int64_t b, int64_t c) {
  const int64_t numbers[3] = {a, b, c};
  if (write(file, numbers, sizeof numbers) != (ssize_t)sizeof numbers) _exit(1);
}

/* The arguments of the next command, in a child; does not return in the server. */
static char** next_command(int answers, int* count) {
  uint32_t length = 0;
  while (read_all(&length, sizeof length)) {
    char* text = malloc(length + 1);
    if (!text || !read_all(text, length)) _exit(1);
    const pid_t child = fork();
    if (child == 0) {
      setpgid(0, 0); /* so that it can be killed with its children */
      char** arguments = calloc(length + 2, sizeof *arguments);
      char* at = text + strlen(text) + 1;
      while (at < text + length) {
        arguments[(*count)++] = at;
        at += strlen(at) + 1;
      }
      const int nothing = open("/dev/null", O_RDWR);
      const int error = open(text, O_WRONLY | O_CREAT | O_TRUNC, 0600);
      dup2(nothing, 0);
      dup2(nothing, 1);
      dup2(error, 2);
      close(answers);
      close(nothing);
      close(error);
      return arguments;
    }
    free(text);
    answer(answers, child, 0, 0);
    int status = 0;
    struct rusage usage;
    wait4(child, &status, 0, &usage);
    const int64_t micros = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL +
                           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    answer(answers, status, micros, usage.ru_maxrss);
  }
  _exit(0);
}

static Main real_main;

static int main_and_end(int argc, char** argv, char** environment) {
  const int code = real_main(argc, argv, environment);
  fflush(NULL);
  _exit(code);
}

int __libc_start_main(Main main, int argc, char** argv, void (*init)(void), void (*fini)(void),
                      void (*ending)(void), void* stack) {
  const Start start = (Start)dlsym(RTLD_NEXT, "__libc_start_main");
  if (getenv("PTQ_FORK_SERVER")) {
    unsetenv("PTQ_FORK_SERVER");
    unsetenv("LD_PRELOAD");
    const int answers = dup(1);
    argc = 0;
    argv = next_command(answers, &argc);
    real_main = main;
    main = main_and_end;
  }
  return start(main, argc, argv, init, fini, ending, stack);
}
