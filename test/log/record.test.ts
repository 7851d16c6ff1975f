import { expect } from 'chai';
import fc from 'fast-check';
import { type LogRecord, parseLine, toJsonLine, toReadable } from '../../lib/adapters/log/record.ts';
import { createRedactor } from '../../lib/adapters/log/redact.ts';
import { micros, parseInstant } from '../../lib/domain/time.ts';

const AT = parseInstant('2026-10-05T19:42:07.123456Z') ?? micros(0);
const record = (
  event: string,
  fields: LogRecord['fields'],
  level: LogRecord['level'] = 'info',
): LogRecord => ({
  at: AT,
  level,
  event,
  fields,
});
const same = (text: string): string => text;

describe('log lines', () => {
  it('read like a blotter on a terminal', () => {
    const style = { color: false, timeOfDay: () => '15:42:07.123' };
    const filled = record('order.filled', { symbol: 'SPY', side: 'buy', qty: 19, px: '100.20', cumQty: 19 });
    expect(toReadable(filled, style)).to.equal('15:42:07.123 SPY   order.filled buy 19 @ 100.20 cumQty=19');
    const down = record('feed.down', { text: 'reconnecting in 2 s', attempt: 3 }, 'warn');
    expect(toReadable(down, { color: false })).to.equal(
      '19:42:07.123       WARN feed.down reconnecting in 2 s attempt=3',
    );
  });

  it('hold everything as JSON, the fixed keys first and never overwritten', () => {
    const line = toJsonLine(record('x.y', { level: 3, symbol: 'SPY', at: 'noon', list: ['a', 1] }), same);
    expect(line).to.equal(
      '{"at":"2026-10-05T19:42:07.123456Z","level":"info","event":"x.y","symbol":"SPY","level_":3,"at_":"noon","list":["a",1]}',
    );
  });

  it('stay one line each and steer no terminal, whatever the fields hold', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'binary' }), fc.double())),
        (fields) => {
          const one = record('a.b', fields);
          expect(toReadable(one, { color: false })).to.match(/^[^\p{Cc}]*$/u);
          const line = toJsonLine(one, same);
          expect(line).not.to.include('\n');
          const back = parseLine(line);
          expect(back?.event).to.equal('a.b');
          expect(back?.at).to.equal(AT);
        },
      ),
    );
  });

  it('that are torn or foreign are no records', () => {
    for (const line of ['', '{"at":"2026', '[]', 'null', '{"at":"x","level":"info","event":"e"}', '{"at":1}'])
      expect(parseLine(line), line).to.equal(null);
  });
});

describe('redaction', () => {
  it('takes a registered secret out of every spelling', () => {
    const redactor = createRedactor();
    redactor.add('abc"def/ghi+jkl');
    redactor.add('abc"def/ghi+jkl-and-longer');
    const line = toJsonLine(
      record('http.failed', { text: 'GET ?k=abc%22def%2Fghi%2Bjkl', header: 'abc"def/ghi+jkl-and-longer' }),
      redactor.scrub,
    );
    expect(line).to.include('"GET ?k=[secret]"').and.include('"header":"[secret]"');
    expect(redactor.scrub(JSON.stringify({ a: 'abc"def/ghi+jkl' }))).to.equal('{"a":"[secret]"}');
  });

  it('takes out a secret that was cut off, and one inside Base64 of more than itself', () => {
    const [key, secret] = ['PKAB7CDEFGHIJKLMNOPQ', 'aB3/xYz+0123456789abcdefGHIJKLmnopQRSTuv'];
    const redactor = createRedactor();
    redactor.add(key);
    redactor.add(secret);
    expect(redactor.scrub(`auth failed for ${secret.slice(0, 33)}…`)).to.equal('auth failed for [secret]…');
    for (const before of ['', 'a', 'ab', 'abc', `${key}:`]) {
      const text = Buffer.from(`${before}${secret}:`).toString('base64');
      const shown = redactor.scrub(`Basic ${text}`);
      expect(shown, before).to.include('[secret]');
      expect(shown.length, 'little is left of it').to.be.below(30);
    }
  });

  it('leaves ordinary words alone', () => {
    const redactor = createRedactor();
    redactor.add('');
    redactor.add('SPY');
    expect(redactor.scrub('SPY bought')).to.equal('SPY bought');
  });
});
