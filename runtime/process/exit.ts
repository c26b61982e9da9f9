/** Exit codes of the executable. */
export const EXIT = {
  ok: 0,
  /** Something failed; one line on standard error says what and what to do next. */
  failure: 1,
  /** Stopped, but a part did not stop cleanly within its grace. */
  unclean: 3,
} as const
