import type { Store, StoreCall, StoreDomain } from '../../platform/store/index.ts'
import { type DeviceId, parseTwin, type Twin } from '../../schemas/index.ts'

/** One row per device; `document` is the whole twin as JSON. `twin_floor` has one row: no twin that is gone had a higher revision. */
export const twinStoreDomain: StoreDomain = {
  name: 'twin',
  tables: [
    { name: 'twin', columns: { id: { type: 'text', primary: true }, document: { type: 'text' } } },
    { name: 'twin_floor', columns: { id: { type: 'integer', primary: true }, revision: { type: 'integer' } } },
  ],
  migrations: [
    {
      name: '0200-twin-table',
      up: ['CREATE TABLE "twin" ("id" text PRIMARY KEY NOT NULL, "document" text NOT NULL)'],
    },
    {
      name: '0201-twin-floor',
      up: ['CREATE TABLE "twin_floor" ("id" integer PRIMARY KEY NOT NULL, "revision" integer NOT NULL)'],
    },
  ],
  statements: {
    all: 'SELECT id, document FROM twin',
    put: 'INSERT INTO twin (id, document) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document',
    remove: 'DELETE FROM twin WHERE id = ?',
    floor: 'SELECT revision FROM twin_floor WHERE id = 0',
    raiseFloor:
      'INSERT INTO twin_floor (id, revision) VALUES (0, ?) ON CONFLICT (id) DO UPDATE SET revision = max(revision, excluded.revision)',
  },
}

export function putTwin(twin: Twin): StoreCall {
  return { statement: 'twin.put', parameters: [twin.id, JSON.stringify(twin)] }
}

export function removeTwin(id: DeviceId): StoreCall {
  return { statement: 'twin.remove', parameters: [id] }
}

export function raiseFloor(revision: number): StoreCall {
  return { statement: 'twin.raiseFloor', parameters: [revision] }
}

/** See `TwinKeeper.floor`. */
export async function loadFloor(store: Store): Promise<number> {
  const [row] = await store.read({ statement: 'twin.floor', parameters: [] })
  return Number(row?.['revision'] ?? 0)
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
