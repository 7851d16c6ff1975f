/** What a command's exit code says; scripts rely on it. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFlat: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
