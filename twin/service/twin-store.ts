import type { Store, StoreCall, StoreDomain } from '../../platform/store/index.ts'
import { type DeviceId, parseTwin, type Twin } from '../../schemas/index.ts'

/** One row per device; `document` is the whole twin as JSON. */
export const twinStoreDomain: StoreDomain = {
  name: 'twin',
  tables: [{ name: 'twin', columns: { id: { type: 'text', primary: true }, document: { type: 'text' } } }],
  migrations: [
    {
      name: '0200-twin-table',
      up: ['CREATE TABLE "twin" ("id" text PRIMARY KEY NOT NULL, "document" text NOT NULL)'],
    },
  ],
  statements: {
    all: 'SELECT id, document FROM twin',
    put: 'INSERT INTO twin (id, document) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document',
    remove: 'DELETE FROM twin WHERE id = ?',
  },
}

export function putTwin(twin: Twin): StoreCall {
  return { statement: 'twin.put', parameters: [twin.id, JSON.stringify(twin)] }
}

export function removeTwin(id: DeviceId): StoreCall {
  return { statement: 'twin.remove', parameters: [id] }
}

/** All twins on disk. Rows that hold none are named to `onUnreadable` and left as they are. */
export async function loadTwins(store: Store, onUnreadable: (id: string) => void): Promise<readonly Twin[]> {
  const loaded: Twin[] = []
  for (const { id, document } of await store.read({ statement: 'twin.all', parameters: [] })) {
    const twin = typeof document === 'string' ? parseTwin(document) : undefined
    if (twin && twin.id === id) loaded.push(twin)
    else onUnreadable(String(id))
  }
  return loaded
}
