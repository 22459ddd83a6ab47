// SPDX-License-Identifier: MIT
#define _GNU_SOURCE // sched_getaffinity
#include "rig/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WIDTH_MAX = 64, CHUNK = 4096, LONGEST = 1 << 24 };

struct worker {
    pid_t pid; // 0: idle
    size_t index;
    int pipe;
    char *text;
    size_t length, room;
};

static unsigned processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (unsigned)count : 1;
}

static void run_child(int pipe_end, unsigned seconds, rig_job *job, void *context, size_t index)
{
    FILE *out = fdopen(pipe_end, "w");
    (void)alarm(seconds);
    bool succeeded = out != NULL && job(context, index, out);
    bool written = out != NULL && fclose(out) == 0;
    exit(succeeded && written ? EXIT_SUCCESS : EXIT_FAILURE); // at exit the leak check runs
}

static int start(struct worker *worker, size_t index, unsigned seconds, rig_job *job, void *context)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -errno;
    }
    (void)fflush(NULL); // or the child would print it as well
    pid_t pid = fork();
    if (pid < 0) {
        int error = -errno;
        (void)close(ends[0]);
        (void)close(ends[1]);
        return error;
    }
    if (pid == 0) {
        (void)close(ends[0]);
        run_child(ends[1], seconds, job, context, index);
    }
    (void)close(ends[1]);
    *worker = (struct worker){.pid = pid, .index = index, .pipe = ends[0]};
    return 0;
}

// False at the end of the child's output.
static bool read_more(struct worker *worker)
{
    if (worker->room - worker->length < CHUNK) {
        size_t room = worker->room == 0 ? (size_t)2 * CHUNK : 2 * worker->room;
        char *text = room <= LONGEST ? realloc(worker->text, room) : NULL;
        if (text == NULL) {
            return false;
        }
        worker->text = text;
        worker->room = room;
    }
    ssize_t got = read(worker->pipe, worker->text + worker->length, worker->room - worker->length - 1);
    if (got < 0 && errno == EINTR) {
        return true;
    }
    worker->length += got > 0 ? (size_t)got : 0;
    worker->text[worker->length] = '\0';
    return got > 0;
}

static void describe_end(int status, unsigned seconds, char *text, size_t size)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        (void)snprintf(text, size, "was still running after %u s", seconds);
    } else if (WIFSIGNALED(status)) {
        (void)snprintf(text, size, "was killed by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != EXIT_SUCCESS && WEXITSTATUS(status) != EXIT_FAILURE) {
        (void)snprintf(text, size, "ended with status %d", WEXITSTATUS(status));
    }
}

// How a job ended, kept until its turn comes.
struct ending {
    bool ended, succeeded;
    char died[96]; // empty: it did not
    char *text;
    size_t length;
};

static void finish(struct worker *worker, unsigned seconds, struct ending *ending)
{
    int status = 0;
    (void)close(worker->pipe);
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    *ending = (struct ending){.ended = true,
                              .succeeded = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS,
                              .text = worker->text,
                              .length = worker->length};
    describe_end(status, seconds, ending->died, sizeof ending->died);
    *worker = (struct worker){0};
}

static void abandon(struct worker *workers)
{
    for (size_t i = 0; i < WIDTH_MAX; i++) {
        if (workers[i].pid != 0) {
            (void)kill(workers[i].pid, SIGKILL);
            (void)close(workers[i].pipe);
            (void)waitpid(workers[i].pid, NULL, 0);
            free(workers[i].text);
        }
    }
}

static size_t poll_workers(struct worker *workers, struct pollfd *polled)
{
    size_t busy = 0;
    for (size_t i = 0; i < WIDTH_MAX; i++) {
        polled[i] = (struct pollfd){.fd = workers[i].pid != 0 ? workers[i].pipe : -1, .events = POLLIN};
        busy += workers[i].pid != 0;
    }
    if (busy != 0 && poll(polled, WIDTH_MAX, -1) < 0) {
        memset(polled, 0, WIDTH_MAX * sizeof *polled); // interrupted: nothing is known of any
    }
    return busy;
}

struct jobs {
    size_t next, count, shown;
    unsigned width, seconds;
    rig_job *job;
    rig_job_visitor *visitor;
    void *context;
    struct ending *endings;
    struct worker workers[WIDTH_MAX];
};

static int start_idle(struct jobs *jobs)
{
    int error = 0;
    for (size_t i = 0; i < jobs->width && jobs->next < jobs->count && error == 0; i++) {
        if (jobs->workers[i].pid == 0) {
            error = start(&jobs->workers[i], jobs->next++, jobs->seconds, jobs->job, jobs->context);
        }
    }
    return error;
}

static void show(struct jobs *jobs)
{
    while (jobs->shown < jobs->count && jobs->endings[jobs->shown].ended) {
        struct ending *ending = &jobs->endings[jobs->shown];
        const struct rig_job_result result = {.index = jobs->shown,
                                              .succeeded = ending->succeeded,
                                              .died = ending->died[0] != '\0' ? ending->died : NULL,
                                              .text = ending->text != NULL ? ending->text : "",
                                              .length = ending->length};
        jobs->visitor(jobs->context, &result);
        free(ending->text);
        ending->text = NULL;
        jobs->shown++;
    }
}

static int run_all(struct jobs *jobs)
{
    struct pollfd polled[WIDTH_MAX];
    for (;;) {
        int error = start_idle(jobs);
        if (error != 0) {
            abandon(jobs->workers);
            return error;
        }
        if (poll_workers(jobs->workers, polled) == 0) {
            return 0;
        }
        for (size_t i = 0; i < jobs->width; i++) {
            struct worker *worker = &jobs->workers[i];
            if (worker->pid != 0 && polled[i].revents != 0 && !read_more(worker)) {
                finish(worker, jobs->seconds, &jobs->endings[worker->index]);
            }
        }
        show(jobs);
    }
}

int rig_jobs(size_t count, unsigned width, unsigned seconds, rig_job *job, rig_job_visitor *visitor,
             void *context)
{
    struct jobs jobs = {
        .count = count, .seconds = seconds, .job = job, .visitor = visitor, .context = context};
    jobs.width = width == 0 ? processors() : width < WIDTH_MAX ? width : WIDTH_MAX;
    jobs.endings = calloc(count + 1, sizeof *jobs.endings);
    if (jobs.endings == NULL) {
        return -ENOMEM;
    }
    int error = run_all(&jobs);
    for (size_t i = 0; i < count; i++) {
        free(jobs.endings[i].text);
    }
    free(jobs.endings);
    return error;
}
