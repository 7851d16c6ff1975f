/** One session per key and feed: who holds which slot, and the dead sessions that still hold theirs. */
export type SessionSlots = {
  isTaken(slot: string): boolean;
  take(slot: string): void;
  /** A close frame frees the slot at once; a dead line may hold it for a while, as the broker's servers do. */
  free(slot: string, clean: boolean): void;
  close(): void;
};

export function createSlots(staleMs: number): SessionSlots {
  const taken = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  return {
    isTaken: (slot) => taken.has(slot),
    take: (slot) => {
      taken.add(slot);
    },
    free: (slot, clean) => {
      if (clean || staleMs === 0) {
        taken.delete(slot);
        return;
      }
      const timer = setTimeout(() => {
        timers.delete(timer);
        taken.delete(slot);
      }, staleMs);
      timer.unref();
      timers.add(timer);
    },
    close: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
