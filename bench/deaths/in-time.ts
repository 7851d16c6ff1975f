/** What work comes to; rejects, with what is found then, when it takes longer than so many milliseconds of the wall. */
export async function inTime<T>(
  patienceMs: number,
  when: string,
  work: Promise<T>,
  found: () => string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `every death is noticed, and every lane sells, within ${patienceMs} ms: not ${when}`;
    timer = setTimeout(() => reject(new Error(`${text}; ${found()}`)), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
