/** Thrown when our own code breaks a promise it made; never for what the outside sends us. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Crashes on a broken promise. `rule` states the rule, `found` what was seen instead. */
export function invariant(holds: boolean, rule: string, found?: unknown): asserts holds {
  if (!holds)
    throw new InvariantError(
      `Invariant: ${rule}${found === undefined ? '' : `. Found: ${JSON.stringify(found)}`}`,
    );
}

/** Ends a `switch` over a union: the compiler proves that no member was forgotten. */
export function unreachable(value: never): never {
  throw new InvariantError(`Invariant: every case is handled. Found: ${JSON.stringify(value)}`);
}
