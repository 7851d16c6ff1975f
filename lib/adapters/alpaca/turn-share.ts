/**
 * How much of each turn of the event loop one socket may take.
 *
 * A socket with megabytes waiting is read 64 KB at a time, up to 32 times, before any other socket has its turn: a fill
 * would wait behind 2 MB of trades. So the socket is paused when its frames have taken their share of a turn, and resumed
 * when everything else has had its own. What is not read waits in the kernel, whose buffer is bounded, and then with the
 * sender: nothing is queued here.
 */
export type TurnShare = {
  /** Tells that a frame was taken, and how long it took, in milliseconds. */
  took(millis: number): void;
  /** Runs `task` once everything that had arrived by now was read. */
  whenRead(task: () => void): void;
  /** The socket is gone: nothing more is waited for. */
  end(): void;
};

export type TurnShareOptions = {
  /** Milliseconds. One read of 64 KB goes over it at the most, and one more is buffered. */
  readonly limit: number;
  /** Milliseconds for which more must have been waiting, without a turn that took all, to be behind. */
  readonly behindAfter: number;
  pause(): void;
  resume(): void;
  /** After each turn that brought frames, and after the one in which the last ones were due. */
  over(isBehind: boolean): void;
};

export function createTurnShare({ limit, behindAfter, pause, resume, over }: TurnShareOptions): TurnShare {
  let spent = 0;
  let isPaused = false;
  /** When the first of the turns in a row ended that left something waiting. */
  let waitingSince: number | null = null;
  let isArmed = false;
  let ended = false;
  let waiting: (() => void)[] = [];

  function arm(): void {
    if (isArmed || ended) return;
    isArmed = true;
    setImmediate(turnOver);
  }

  function turnOver(): void {
    isArmed = false;
    spent = 0;
    const wasPaused = isPaused;
    isPaused = false;
    if (wasPaused) {
      resume();
      // A turn that brings nothing tells that nothing waits any more.
      arm();
    } else runWaiting();
    over(isBehind(wasPaused && !ended));
  }

  function isBehind(isWaiting: boolean): boolean {
    if (!isWaiting) {
      waitingSince = null;
      return false;
    }
    const now = performance.now();
    waitingSince ??= now;
    return now - waitingSince >= behindAfter;
  }

  function runWaiting(): void {
    const tasks = waiting;
    waiting = [];
    for (const task of tasks) task();
  }

  return {
    took(millis) {
      spent += millis;
      arm();
      if (isPaused || ended || spent < limit) return;
      isPaused = true;
      pause();
    },
    whenRead(task) {
      if (ended) {
        setImmediate(task);
        return;
      }
      waiting.push(task);
      arm();
    },
    end() {
      // The turn that brought the last frame ends like any other, and that frame may be the one that ends it all.
      arm();
      ended = true;
      if (waiting.length > 0) setImmediate(runWaiting);
    },
  };
}
