/*
 * What ps and top show of a process: its place in the tree.
 *
 * The short name (15 bytes) is prctl's. The long one is what the kernel takes for the command line: it is told to find
 * that elsewhere (PR_SET_MM_MAP, which needs no privileges), in a page of our own. So nothing of the program's is written
 * over, neither its arguments nor its environment, wherever it has kept pointers to them.
 *
 * Failures. A kernel that was built without that (CONFIG_CHECKPOINT_RESTORE), or without /proc, goes on to show the
 * command line of the application; the short name is there in any case.
 */
#ifndef TR_TITLE_H
#define TR_TITLE_H

enum { TR_TITLE_SIZE = 256 }; /* bytes, the ending NUL included; a longer path loses its beginning: the end tells more */

/* "APPLICATION: PATH", and "troupe:PATH" cut to 15 bytes, from the front too. The names of the threads that exist by then,
 * but for the calling one, stay. Once in a process, and again after exec. `application` NULL: "troupe". */
void tr_process_title(const char *application, const char *path);

#endif
