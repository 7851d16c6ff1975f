/** What is drawn, and kept beside the picture so that it can be drawn again. */
export type CurveData = {
  /** Where and when it was measured: a line for the picture's foot. */
  readonly measured: string;
  readonly charts: readonly Chart[];
};

/** Both axes are logarithmic. */
export type Chart = {
  readonly title: string;
  readonly x: string;
  /** With its unit. */
  readonly y: string;
  readonly series: readonly Series[];
};

export type Series = {
  readonly name: string;
  readonly color: string;
  /** Told from another series of the same color. */
  readonly dashed: boolean;
  readonly points: readonly Point[];
};

/** Median over the rounds, with the lowest and the highest round. */
export type Point = { readonly x: number; readonly y: number; readonly min: number; readonly max: number };
