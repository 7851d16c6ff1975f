import { expect } from 'chai';
import { openStore } from '../../lib/adapters/journal/store.ts';
import { removeScratch } from '../support/scratch.ts';
import { look, rows, tamper, versionOne } from './files.ts';

describe('journal chain of a file of version 1', () => {
  after(removeScratch);

  it('is made when the file is opened, says so in a record, and covers what comes after', () => {
    const path = versionOne(2_500);
    const store = openStore(path);
    expect(store.chained).to.equal(2_500);
    store.append(rows(2));
    store.close();
    const { records, brokenAt, day, sealed, file } = look(path);
    expect({ records, brokenAt, sealed, file }).to.deep.equal({
      records: 2_503,
      brokenAt: null,
      sealed: true,
      file: 'ok',
    });
    expect(day.slice(0, 2_500).map(({ body }) => (body as { n: number }).n)).to.deep.equal(
      Array.from({ length: 2_500 }, (_, n) => n),
    );
    expect(day[2_500]).to.deep.include({
      id: 2_501,
      kind: 'session',
      symbol: null,
      body: { what: 'chained', records: 2_500 },
    });
    const again = openStore(path);
    expect(again.chained).to.equal(0);
    again.close();
    tamper(path, "UPDATE record SET body = '1' WHERE id = 7");
    expect(look(path).brokenAt?.id).to.equal(7);
  });

  it('an empty one is brought up to date without a word', () => {
    const path = versionOne(0);
    openStore(path).close();
    expect(look(path)).to.deep.include({ records: 0, sealed: true });
  });
});
