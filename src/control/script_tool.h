/* script_tool.h - script-test and script-bench: finds out what a file is and what it needs, has its examples run
 * (script/examples.h), and prints what came of them.
 *
 * Thread: control. */
#pragma once

struct script_cli;

/* Returns the exit code (enum exit_code). */
int script_tool_run(const struct script_cli *cli);
