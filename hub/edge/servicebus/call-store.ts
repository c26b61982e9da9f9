import type { StoreDomain } from '../../../platform/store/index.ts'

/**
 * Calls of local applications that wait for the cloud, in the order of their ids; how many were dropped; and the target URLs that
 * a KubeEdge cloud has registered (KubeEdge's `target_urls`).
 */
export const callStoreDomain: StoreDomain = {
  name: 'servicebus',
  tables: [
    {
      name: 'servicebus_call',
      columns: {
        id: { type: 'integer', primary: true },
        frame: { type: 'text' },
        rule: { type: 'text' },
        head: { type: 'text' },
        body: { type: 'blob' },
        received: { type: 'integer' },
      },
    },
    { name: 'servicebus_dropped', columns: { reason: { type: 'text', primary: true }, count: { type: 'integer' } } },
    { name: 'servicebus_url', columns: { url: { type: 'text', primary: true } } },
  ],
  migrations: [
    {
      name: '0120-servicebus',
      up: [
        'CREATE TABLE "servicebus_call" ("id" integer PRIMARY KEY NOT NULL, "frame" text NOT NULL, "rule" text NOT NULL, "head" text NOT NULL, "body" blob NOT NULL, "received" integer NOT NULL)',
        'CREATE TABLE "servicebus_dropped" ("reason" text PRIMARY KEY NOT NULL, "count" integer NOT NULL)',
        'CREATE TABLE "servicebus_url" ("url" text PRIMARY KEY NOT NULL)',
      ],
    },
  ],
  statements: {
    index:
      'SELECT id, frame, rule AS line, length(CAST(head AS blob)) + length(body) AS bytes, received FROM servicebus_call ORDER BY id',
    put: 'INSERT INTO servicebus_call (id, frame, rule, head, body, received) VALUES (?, ?, ?, ?, ?, ?)',
    read: 'SELECT id, frame, rule, head, body FROM servicebus_call WHERE id BETWEEN ? AND ? ORDER BY id',
    remove: 'DELETE FROM servicebus_call WHERE id BETWEEN ? AND ?',
    dropped: 'SELECT reason, count FROM servicebus_dropped',
    setDropped:
      'INSERT INTO servicebus_dropped (reason, count) VALUES (?, ?) ON CONFLICT (reason) DO UPDATE SET count = excluded.count',
    urls: 'SELECT url FROM servicebus_url ORDER BY rowid',
    putUrl: 'INSERT INTO servicebus_url (url) VALUES (?) ON CONFLICT (url) DO NOTHING',
    removeUrl: 'DELETE FROM servicebus_url WHERE url = ?',
  },
}
