import { expect } from 'chai';
import fc from 'fast-check';
import { AnswerReader } from '../../lib/adapters/alpaca/http-reader.ts';

const JSON_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-ID: r-1\r\n';
const PLAIN = `${JSON_HEAD}Content-Length: 13\r\n\r\n{"a":"été"}`;
const CHUNKED = `${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n5;note=x\r\n{"a":\r\n4\r\n"b"}\r\n0\r\nTrailer: t\r\n\r\n`;

/** Feeds the bytes in pieces cut at the given places; what is left over stays with the reader. */
function read(bytes: Buffer, cuts: readonly number[] = []): { reader: AnswerReader; progress: string } {
  const reader = new AnswerReader();
  const edges = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])].sort(
    (a, b) => a - b,
  );
  let progress: string = 'more';
  for (let n = 0; n + 1 < edges.length && progress === 'more'; n += 1)
    progress = reader.feed(bytes.subarray(edges[n], edges[n + 1]));
  return { reader, progress };
}

const readText = (text: string) => read(Buffer.from(text, 'utf8'));

describe('HTTP answers', () => {
  it('are the same wherever the network cut them', () => {
    const answers = [
      [PLAIN, '{"a":"été"}'],
      [CHUNKED, '{"a":"b"}'],
      [`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n${PLAIN}`, '{"a":"été"}'],
      ['HTTP/1.1 204 No Content\r\nX-Request-ID: r-1\r\n\r\n', ''],
      ['HTTP/1.1 200 OK\r\nx-request-id: r-1\r\ncontent-length: 0\r\n\r\n', ''],
    ] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...answers),
        fc.array(fc.nat(400), { maxLength: 12 }),
        ([text, body], cuts) => {
          const { reader, progress } = read(Buffer.from(text, 'utf8'), cuts);
          expect(progress).to.equal('complete');
          expect([reader.body(), reader.headers['x-request-id'], reader.persists]).to.deep.equal([
            body,
            'r-1',
            true,
          ]);
        },
      ),
    );
  });

  it('follow each other on one connection', () => {
    const reader = new AnswerReader();
    for (const text of [PLAIN, CHUNKED, PLAIN]) {
      expect(reader.feed(Buffer.from(text))).to.equal('complete');
      expect(reader.persists).to.equal(true);
      reader.reset();
    }
  });

  it('join what is said twice, and inherit nothing', () => {
    const { reader } = readText(
      `${JSON_HEAD}A: 1\r\na: 2\r\nToString: x\r\n__proto__: y\r\nContent-Length: 0\r\n\r\n`,
    );
    expect([reader.headers.a, reader.headers.tostring]).to.deep.equal(['1,2', 'x']);
    expect(Object.getPrototypeOf(reader.headers)).to.equal(Object.prototype);
  });

  it('may end with the connection, which then carries nothing else', () => {
    const { reader, progress } = readText(`${JSON_HEAD}\r\n{"a":1}`);
    expect([progress, reader.end(), reader.body(), reader.persists]).to.deep.equal([
      'more',
      true,
      '{"a":1}',
      false,
    ]);
  });

  it('are not complete when the connection ends before they are', () => {
    for (const text of [PLAIN, CHUNKED])
      for (const cut of [3, 40, text.length - 3]) {
        const { reader, progress } = readText(text.slice(0, cut));
        expect([progress, reader.end()], `${cut} of ${text}`).to.deep.equal(['more', false]);
      }
  });

  const leaves: readonly (readonly [string, string])[] = [
    ['says so', PLAIN.replace('200 OK\r\n', '200 OK\r\nConnection: Close\r\n')],
    ['speaks HTTP/1.0', PLAIN.replace('1.1', '1.0')],
    ['sends more than was asked for', `${PLAIN}HTTP/1.1 403 Forbidden\r\n`],
  ];
  for (const [what, text] of leaves)
    it(`leave a connection that takes no other request when the server ${what}`, () => {
      const { reader, progress } = readText(text);
      expect([progress, reader.persists]).to.deep.equal(['complete', false]);
    });

  const unreadable: readonly (readonly [string, string])[] = [
    ['something else', '<html>\r\n\r\n'],
    ['a version that is not spoken', PLAIN.replace('1.1', '2.0')],
    ['a change of protocol', 'HTTP/1.1 101 Switching\r\n\r\n'],
    ['two lengths', PLAIN.replace('Content-Length: 13', 'Content-Length: 13\r\nContent-Length: 14')],
    ['a length that is none', PLAIN.replace('Length: 13', 'Length: -1')],
    ['a length beyond all measure', PLAIN.replace('Length: 13', 'Length: 99999999999')],
    ['length and chunks', CHUNKED.replace('\r\n\r\n', '\r\nContent-Length: 9\r\n\r\n')],
    ['an unknown coding', CHUNKED.replace('chunked', 'gzip, chunked')],
    ['a chunk size that is none', CHUNKED.replace('5;note=x', 'five')],
    ['a chunk longer than it said', CHUNKED.replace('5;note=x', '4')],
    ['a name with a blank', PLAIN.replace('X-Request-ID:', 'X-Request-ID :')],
    ['a line that goes on', PLAIN.replace('X-Request-ID:', ' folded:')],
    ['a head without end', `${JSON_HEAD}X: ${'x'.repeat(70_000)}`],
    ['a chunk size without end', CHUNKED.replace('note=x', 'x'.repeat(5_000))],
  ];
  for (const [what, text] of unreadable)
    it(`are not read where there is ${what}`, () => {
      expect(readText(text).progress).to.equal('unreadable');
    });

  it('are read or not, whatever the bytes, and never throw', () => {
    const pieces = fc.array(
      fc.constantFrom(...PLAIN.split(/(?=[\r:])/), ...CHUNKED.split(/(?=\r)/), '\r\n\r\n', '\0'),
      {
        maxLength: 20,
      },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const { reader, progress } = readText(parts.join('') || ' ');
        expect(progress).to.be.oneOf(['more', 'complete', 'unreadable']);
        reader.end();
        reader.body();
      }),
    );
  });
});
