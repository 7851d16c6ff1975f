/** Wall time in milliseconds with a fraction, comparable between the processes and threads of one machine. */
export const wallNow = (): number => performance.timeOrigin + performance.now();
