import type { StoreDomain } from '../store.ts'

/** A domain for tests of the store itself. */
export const pairs = {
  name: 'pairs',
  tables: [
    {
      name: 'pair',
      columns: {
        key: { type: 'text', primary: true },
        value: { type: 'integer', nullable: true },
        bytes: { type: 'blob', nullable: true },
      },
      indices: [{ name: 'pair_value', columns: ['value'] }],
    },
  ],
  migrations: [
    {
      name: '0001-pairs',
      up: [
        'CREATE TABLE pair (key text PRIMARY KEY NOT NULL, value integer, bytes blob)',
        'CREATE INDEX pair_value ON pair (value)',
      ],
    },
  ],
  statements: {
    add: 'INSERT INTO pair (key, value) VALUES (?, ?)',
    addOrEnd: 'INSERT OR ROLLBACK INTO pair (key, value) VALUES (?, ?)',
    addBytes: 'INSERT INTO pair (key, bytes) VALUES (?, ?)',
    putBytes: 'INSERT INTO pair (key, bytes) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes',
    all: 'SELECT key, value FROM pair ORDER BY key',
    bytes: 'SELECT bytes FROM pair WHERE key = ?',
    mostPages30: 'PRAGMA max_page_count = 30',
    mostPagesAny: 'PRAGMA max_page_count = 1000000',
    forgetPages: 'PRAGMA shrink_memory',
    synchronous: 'PRAGMA synchronous',
  },
} as const satisfies StoreDomain
