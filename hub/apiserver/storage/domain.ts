import type { StoreDomain } from '../../../platform/store/index.ts'

/** The embedded API's part of its own database file: every object as JSON text with its version, and that of the last deletion. */
export const kubernetesStore: StoreDomain = {
  name: 'kubernetes',
  tables: [
    {
      name: 'kubernetes_objects',
      columns: {
        id: { type: 'text', primary: true },
        resource: { type: 'text' },
        version: { type: 'integer' },
        body: { type: 'text' },
      },
    },
    {
      name: 'kubernetes_head',
      columns: { id: { type: 'integer', primary: true }, version: { type: 'integer' } },
    },
  ],
  migrations: [
    {
      name: '0001-kubernetes-objects',
      up: [
        'CREATE TABLE kubernetes_objects (id TEXT PRIMARY KEY NOT NULL, resource TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL)',
        'CREATE TABLE kubernetes_head (id INTEGER PRIMARY KEY NOT NULL, version INTEGER NOT NULL)',
      ],
    },
  ],
  statements: {
    page: 'SELECT id, resource, version, body FROM kubernetes_objects WHERE id > ? ORDER BY id LIMIT 1000',
    head: 'SELECT version FROM kubernetes_head WHERE id = 1',
    put: 'INSERT INTO kubernetes_objects (id, resource, version, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body',
    remove: 'DELETE FROM kubernetes_objects WHERE id = ?',
    advance:
      'INSERT INTO kubernetes_head (id, version) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET version = max(version, excluded.version)',
  },
}
