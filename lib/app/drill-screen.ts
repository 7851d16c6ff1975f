import type { DrillResult } from './drills/run-drill.ts';

/** What a person sees while drills run: a line for each that ended, and on a terminal one for those under way. */
export type DrillScreen = {
  begin(name: string): void;
  step(name: string, text: string): void;
  end(result: DrillResult): void;
  close(): void;
};

export type DrillScreenOptions = {
  /** Writes text as it is, without adding a line end. */
  readonly write: (text: string) => void;
  readonly isTty: boolean;
  readonly total: number;
};

const ERASE_LINE = '\r\u001b[2K';
/** A line longer than the terminal is wide must be cut there: what wraps can not be rewritten in place. */
const unwrapped = (line: string): string => `\u001b[?7l${line}\u001b[?7h`;
const REDRAW_MILLIS = 500;
const WORDS = { passed: 'pass', failed: 'FAIL', notHit: 'not hit' } as const;

export function openDrillScreen({ write, isTty, total }: DrillScreenOptions): DrillScreen {
  const running = new Map<string, { step: string; readonly since: number }>();
  let done = 0;
  let closed = false;

  const draw = (): void => {
    if (!isTty || closed || running.size === 0) return;
    const each = [...running].map(
      ([name, { step, since }]) => `${name}: ${step}, ${Math.round((performance.now() - since) / 1_000)} s`,
    );
    write(`${ERASE_LINE}${unwrapped(`${done}/${total}  ${each.join(' · ')}`)}`);
  };
  const print = (line: string): void => write(isTty ? `${ERASE_LINE}${line}\n` : `${line}\n`);
  const timer = isTty ? setInterval(draw, REDRAW_MILLIS) : null;

  return {
    begin(name) {
      running.set(name, { step: 'starting', since: performance.now() });
      draw();
    },
    step(name, text) {
      const line = running.get(name);
      if (line !== undefined) line.step = text;
      draw();
    },
    end({ name, outcome, seconds, verdicts }) {
      running.delete(name);
      done += 1;
      const broken = verdicts.find(({ evidence }) => evidence !== null);
      const why = broken === undefined ? '' : `  ${broken.invariant}: ${broken.evidence}`;
      print(`${done}/${total}  ${name}: ${WORDS[outcome]}, ${seconds} s${why}`);
      draw();
    },
    close() {
      if (closed) return;
      if (isTty) write(ERASE_LINE);
      if (timer !== null) clearInterval(timer);
      closed = true;
    },
  };
}
