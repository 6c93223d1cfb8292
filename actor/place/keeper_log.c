/*
 * What processes log, and what they write to standard error: the keeper's ends of their pipes, and when they are
 * read. The latter is for people as it is; in JSON each of its lines is a record. With `stdout: lines` and `stderr: lines`
 * they are records in either form.
 *
 * A turn of the loop takes what has come into the scribe's buffer, and writes it after everything else was
 * done. When the output takes no more, it is watched; when too much waits, the pipes are not, until less does.
 * (What is not watched is taken out of the epoll set: a pipe without a writer would be reported for ever.)
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "place/keeper_driver.h"

static struct tr_scribe *scribe_of(const struct tr_driver *driver) { return driver->options->scribe; }

static void take(void *context, const char *line, size_t size) { tr_scribe_line(context, line, size); }

static void unwatch(const struct tr_driver *driver, int descriptor) {
    if (descriptor >= 0) epoll_ctl(driver->epoll, EPOLL_CTL_DEL, descriptor, NULL);
}

/* ---- Standard error ---- */

static void take_line(void *context, enum troupe_level level, const char *line, size_t size) {
    (void)level;
    tr_scribe_line(context, line, size);
}

static void say(const struct tr_driver *driver, const struct tr_ward *ward, enum troupe_level level,
                const char *text, const struct troupe_log_field *fields, size_t count) {
    struct tr_scribe *scribe = scribe_of(driver);
    struct tr_logger logger = { .form = scribe->form, .line = take_line, .context = scribe };
    struct tr_log_record record = { .level = level, .path = ward->spec->path, .text = text, .fields = fields,
                                    .count = count };
    tr_log_write(&logger, &record);
}

/* A line as a record, with the path of the process: where that was asked for, and in JSON, since who reads that wants
 * nothing else. */
static void wrap(const struct tr_driver *driver, const struct tr_ward *ward, enum troupe_level level, const char *stream,
                 const char *line, size_t size) {
    char text[TR_LOG_LINE];
    struct troupe_log_field fields[] = { troupe_text("stream", stream), troupe_number("process", ward->pid) };
    size_t length = size - 1 < sizeof text - 1 ? size - 1 : sizeof text - 1;
    for (size_t i = 0; i < length; i++) text[i] = line[i] == '\0' ? '?' : line[i];
    text[length] = '\0';
    say(driver, ward, level, text, fields, 2);
}

static enum tr_stream_kind kind_of(const struct tr_driver *driver, const struct tr_ward *ward, bool errors) {
    const struct tr_process_options *options = tr_ward_options(driver, ward);
    if (options == NULL) return TR_STREAM_STANDARD;
    return errors ? options->errors.kind : options->output.kind;
}

static bool is_lines(const struct tr_driver *driver, const struct tr_ward *ward, bool errors) {
    return kind_of(driver, ward, errors) == TR_STREAM_LINES;
}

struct writer {
    struct tr_driver *driver;
    struct tr_ward *ward;
};

static void take_error(void *context, const char *line, size_t size) {
    const struct writer *writer = context;
    struct tr_scribe *scribe = scribe_of(writer->driver);
    if (!tr_tail_add(&writer->ward->tail, line, size)) return;
    if (is_lines(writer->driver, writer->ward, true))
        wrap(writer->driver, writer->ward, TROUPE_WARNING, "stderr", line, size);
    else if (scribe->form == TR_LOG_JSON) wrap(writer->driver, writer->ward, TROUPE_INFO, "stderr", line, size);
    else tr_scribe_line(scribe, line, size);
}

static void take_output(void *context, const char *line, size_t size) {
    const struct writer *writer = context;
    wrap(writer->driver, writer->ward, TROUPE_INFO, "stdout", line, size);
}

/* Lines of people have no line feeds in them. */
static void join(const struct tr_driver *driver, char *text) {
    if (scribe_of(driver)->form == TR_LOG_JSON) return;
    for (char *feed = text; (feed = strchr(feed, '\n')) != NULL;) *feed = '|';
}

void tr_ward_report(struct tr_driver *driver, const struct tr_ward *ward, int status) {
    struct tr_tail tail = ward->tail;
    struct troupe_log_field fields[3] = { troupe_number("process", ward->pid) };
    char text[128];
    size_t count = 1;
    if (status == 0 || scribe_of(driver) == NULL || (tail.lines == 0 && tail.crash[0] == '\0')) return;
    join(driver, tail.output);
    join(driver, tail.crash);
    if (tail.lines > 0) fields[count++] = troupe_text("output", tail.output);
    if (tail.crash[0] != '\0') fields[count++] = troupe_text("backtrace", tail.crash);
    tr_status_text(status, text, sizeof text);
    say(driver, ward, TROUPE_ERROR, text, fields, count);
}

/* ---- One process ---- */

/* The writer of standard error must block, as it always does. */
static bool open_pipe(struct tr_scribe_source *source, int *theirs, bool wanted, int flags) {
    int ends[2] = { -1, -1 };
    bool opened = !wanted || pipe2(ends, O_CLOEXEC | flags) == 0;
    source->pipe = ends[0];
    source->used = 0;
    *theirs = ends[1];
    return opened && (ends[0] < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
}

bool tr_ward_open_log(struct tr_driver *driver, struct tr_ward *ward, struct tr_log_ends *theirs) {
    enum tr_stream_kind kind = kind_of(driver, ward, true);
    bool wanted = scribe_of(driver) != NULL, lines = wanted && is_lines(driver, ward, false);
    bool tails = wanted && (kind == TR_STREAM_LINES || (kind == TR_STREAM_STANDARD && driver->options->tails));
    *theirs = (struct tr_log_ends){ -1, -1, -1 };
    ward->tail = (struct tr_tail){ .lines = 0 };
    if (open_pipe(&ward->log, &theirs->log, wanted, O_NONBLOCK) &&
        open_pipe(&ward->errors, &theirs->errors, tails, 0) && open_pipe(&ward->output, &theirs->output, lines, 0))
        return true;
    int failure = errno;
    tr_ward_end_log(driver, ward);
    tr_log_ends_close(theirs);
    errno = failure;
    return false;
}

void tr_log_ends_close(const struct tr_log_ends *ends) {
    if (ends->log >= 0) close(ends->log);
    if (ends->errors >= 0) close(ends->errors);
    if (ends->output >= 0) close(ends->output);
}

static bool watch_source(struct tr_driver *driver, const struct tr_scribe_source *source, enum tr_watch what,
                         const struct tr_ward *ward) {
    return source->pipe < 0 || driver->log_paused ||
           tr_driver_watch(driver, source->pipe, EPOLLIN, what, ward);
}

bool tr_ward_watch_log(struct tr_driver *driver, const struct tr_ward *ward) {
    return watch_source(driver, &ward->log, TR_WATCH_LOG, ward) &&
           watch_source(driver, &ward->errors, TR_WATCH_ERRORS, ward) &&
           watch_source(driver, &ward->output, TR_WATCH_STDOUT, ward);
}

static void end_source(struct tr_driver *driver, struct tr_scribe_source *source,
                       void (*taker)(void *context, const char *line, size_t size), void *context) {
    unwatch(driver, source->pipe);
    tr_source_drain(source, taker, context);
}

void tr_ward_end_log(struct tr_driver *driver, struct tr_ward *ward) {
    struct writer writer = { driver, ward };
    end_source(driver, &ward->log, take, scribe_of(driver));
    end_source(driver, &ward->output, take_output, &writer);
    end_source(driver, &ward->errors, take_error, &writer);
}

void tr_ward_read_log(struct tr_driver *driver, struct tr_ward *ward) {
    struct tr_scribe *scribe = scribe_of(driver);
    if (tr_source_read(&ward->log, take, scribe) == TR_SOURCE_ENDED)
        end_source(driver, &ward->log, take, scribe);
}

void tr_ward_read_errors(struct tr_driver *driver, struct tr_ward *ward) {
    struct writer writer = { driver, ward };
    if (tr_source_read(&ward->errors, take_error, &writer) == TR_SOURCE_ENDED)
        end_source(driver, &ward->errors, take_error, &writer);
}

void tr_ward_read_output(struct tr_driver *driver, struct tr_ward *ward) {
    struct writer writer = { driver, ward };
    if (tr_source_read(&ward->output, take_output, &writer) == TR_SOURCE_ENDED)
        end_source(driver, &ward->output, take_output, &writer);
}

/* ---- All of them ---- */

static void pause_logs(struct tr_driver *driver, bool paused) {
    if (driver->log_paused == paused) return;
    driver->log_paused = paused;
    for (size_t i = 0; i < driver->ward_count; i++) {
        struct tr_ward *ward = &driver->wards[i];
        if (paused) {
            unwatch(driver, ward->log.pipe);
            unwatch(driver, ward->errors.pipe);
            unwatch(driver, ward->output.pipe);
        } else if (!tr_ward_watch_log(driver, ward)) {
            tr_ward_end_log(driver, ward);
        }
    }
}

static void await_output(struct tr_driver *driver, bool waits) {
    struct tr_scribe *scribe = scribe_of(driver);
    if (driver->log_waits == waits) return;
    driver->log_waits = waits;
    if (waits) tr_driver_watch(driver, scribe->output, EPOLLOUT, TR_WATCH_OUTPUT, NULL);
    else unwatch(driver, scribe->output);
}

void tr_driver_write_log(struct tr_driver *driver) {
    struct tr_scribe *scribe = scribe_of(driver);
    if (scribe == NULL) return;
    await_output(driver, !tr_scribe_flush(scribe));
    pause_logs(driver, !tr_scribe_has_room(scribe));
}
