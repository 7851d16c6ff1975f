import type { Journal, StoredRecord } from '../../ports/journal.ts';
import { JournalError } from './journal-error.ts';

/** A journal that forgets everything with the process: for tests and for runs that leave nothing behind. */
export function memoryJournal(): Journal {
  const records: StoredRecord[] = [];
  let open = true;
  return {
    async append(record) {
      if (!open) throw new JournalError('journal.closed', 'a closed journal takes no records');
      records.push({ ...structuredClone(record), id: records.length + 1 });
    },
    read: async (day) => records.filter((record) => record.day === day),
    async close() {
      open = false;
    },
  };
}
