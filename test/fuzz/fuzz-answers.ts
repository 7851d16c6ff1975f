import { type AlpacaBroker, openBroker } from '../../lib/adapters/alpaca/rest.ts';
import { formatInstant, micros, parseInstant } from '../../lib/domain/time.ts';
import { createRandom, type Random } from '../../lib/sim/random.ts';
import { type RawAnswer, startAnswerServer } from './answer-server.ts';
import { KEY, SECRET, WORDS } from './corpus.ts';
import { type Finding, isPolluted, textOf } from './finding.ts';
import { judgeAnswer, type Sent } from './judge-answer.ts';
import { mutateBytes, mutateNode } from './mutate.ts';
import { jsonOf } from './node.ts';
import { type Asked, makeAsked, REFUSALS } from './real-answers.ts';
import { type Counts, count } from './socket-stand.ts';

/** Mutated answers to every request of the broker port, over a real connection on loopback. */
export type AnswerFuzz = {
  readonly counts: Counts;
  run(number: number): Promise<void>;
  close(): Promise<void>;
};

const NOW = parseInstant('2026-10-05T18:00:00Z') ?? micros(0);
/** Wall time. An answer that never comes is waited for so long; all others are there at once. */
const SILENCE_MILLIS = 40;
const PATIENCE_MILLIS = 20_000;
/** No request may take longer, all its pages together: then it hangs. */
const HANG_MILLIS = 60_000;
const STATUSES = [
  200, 201, 204, 207, 301, 400, 401, 403, 404, 408, 409, 418, 422, 425, 429, 499, 500, 502, 503, 504,
] as const;

export async function createAnswerFuzz(
  seed: number,
  onFinding: (finding: Finding) => void,
): Promise<AnswerFuzz> {
  const asked = await makeAsked();
  const server = await startAnswerServer();
  const counts: Counts = new Map();
  let timeoutMillis = PATIENCE_MILLIS;
  const broker = openBroker({
    baseUrl: server.url,
    dataUrl: server.url,
    keyId: KEY,
    secret: SECRET,
    feed: 'iex',
    now: () => NOW,
    timeoutMillis: () => timeoutMillis,
    connections: 4,
  });

  async function run(number: number): Promise<void> {
    const random = createRandom(`${seed}/answers/${number}`);
    const report = (rule: string, text: string): void => onFinding({ part: 'answers', number, rule, text });
    const request = random.pick(asked);
    const { sent, raw } = answerTo(request, random);
    timeoutMillis = raw.after === 'silence' ? SILENCE_MILLIS : PATIENCE_MILLIS;
    server.answer(raw);
    try {
      const outcome = await settled(request, broker);
      count(counts, `${request.name} ${outcomeName(outcome)}`);
      judgeAnswer(request, sent, outcome, report);
    } catch (error) {
      report('threw', `${request.name}: ${textOf(error)}`);
    }
    if (isPolluted()) report('polluted', 'an answer has changed what every object inherits');
  }

  return {
    counts,
    run,
    async close() {
      await broker.close();
      await server.close();
    },
  };
}

const outcomeName = (outcome: unknown): string =>
  String((outcome as { readonly kind?: unknown } | null)?.kind);

function settled(request: Asked, broker: AlpacaBroker): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a request ends at its deadline')), HANG_MILLIS);
  });
  return Promise.race([request.ask(broker), hang]).finally(() => clearTimeout(timer));
}

/** The real answer, or a refusal, with at least one change somewhere. */
function answerTo(request: Asked, random: Random): { readonly sent: Sent; readonly raw: RawAnswer } {
  const refuses = random.chance(0.25);
  const node = refuses ? random.pick(REFUSALS) : request.body;
  const changed = random.chance(0.75) ? mutateNode(node, random, WORDS, random.integer(1, 3)) : node;
  const isEmpty = request.kind === 'cancel' && !refuses && random.chance(0.5);
  let body: Buffer = Buffer.from(isEmpty ? '' : jsonOf(changed));
  if (random.chance(0.25))
    body = mutateBytes(body, Buffer.from(jsonOf(request.body)), random, random.integer(1, 4));
  const trueStatus = refuses
    ? random.pick([400, 401, 403, 404, 422, 429, 500, 502] as const)
    : isEmpty
      ? 204
      : 200;
  const status = random.chance(0.2) ? random.pick(STATUSES) : trueStatus;
  const head = headOf(status, body, random);
  const isHeadWhole = !random.chance(0.08);
  const whole = Buffer.concat([
    isHeadWhole ? head : mutateBytes(head, body, random, random.integer(1, 3)),
    body,
  ]);
  const how = random.uniform();
  const sent = { status: isHeadWhole ? status : null, body, whole };
  if (how < 0.02) return { sent, raw: { bytes: whole, after: 'reset' } };
  if (how < 0.05) {
    const cut = whole.subarray(0, random.integer(0, whole.length - 1));
    return { sent, raw: { bytes: cut, after: random.chance(0.3) ? 'silence' : 'end' } };
  }
  // A head that cannot be read to its end, or promises more than there is, is waited for until the connection ends.
  return { sent, raw: { bytes: whole, after: 'end' } };
}

function headOf(status: number, body: Buffer, random: Random): Buffer {
  const odd = (value: string): string =>
    random.chance(0.15)
      ? random.pick([
          '',
          '-1',
          '1e9',
          'NaN',
          '99999999999999999999',
          `${KEY}:${SECRET}`,
          '\u00e9\u00ff',
          '0',
        ] as const)
      : value;
  const length = random.chance(0.05) ? body.length + random.integer(-5, 5) : body.length;
  const lines = [
    `HTTP/1.1 ${status} ${status === 200 ? 'OK' : 'Said'}`,
    `Content-Type: ${random.chance(0.9) ? 'application/json; charset=UTF-8' : 'text/html'}`,
    ...(random.chance(0.1) ? [] : [`Content-Length: ${Math.max(0, length)}`]),
    `X-Request-ID: ${odd('c0ffee00c0ffee00')}`,
    `X-RateLimit-Limit: ${odd('200')}`,
    `X-RateLimit-Remaining: ${odd('150')}`,
    `X-RateLimit-Reset: ${odd(String(Math.floor(NOW / 1e6) + 30))}`,
    ...(random.chance(0.2) ? [`Retry-After: ${odd('5')}`] : []),
    ...(random.chance(0.1) ? [`X-Scalpd-Clock-Speed: ${odd('60')}`] : []),
    ...(random.chance(0.03) ? ['Transfer-Encoding: chunked'] : []),
    ...(random.chance(0.03) ? ['Content-Encoding: gzip'] : []),
    `Date: ${formatInstant(NOW)}`,
    'Connection: close',
    '',
    '',
  ];
  return Buffer.from(lines.join('\r\n'), 'latin1');
}
