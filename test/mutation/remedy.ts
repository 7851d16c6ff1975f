/** A remedy as lines of a built file, what they become when it is taken out, and the tests that must miss it then. */
export type Remedy = {
  /** As in "without ...". */
  readonly name: string;
  /** In the build. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
  readonly tests: NamedTests;
};

export type NamedTests = {
  /** Test files below `test/`, as sources. */
  readonly files: readonly string[];
  /** In the full title of each of them. */
  readonly title: string;
};
