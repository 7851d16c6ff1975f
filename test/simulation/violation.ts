/** A rule that was broken: which, and what was found. Equal runs break equal rules. */
export type Violation = { readonly rule: string; readonly text: string };
export type Report = (rule: string, text: string) => void;
