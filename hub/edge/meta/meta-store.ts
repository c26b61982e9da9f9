import type { Row, StoreCall, StoreDomain } from '../../../platform/store/index.ts'

/**
 * What the hub keeps at the edge. `meta` has rows as KubeEdge keys them: `key` is the resource on the wire, `value` the whole
 * object as JSON. `edge_fact` is what this database knows of itself, `edge_confirmed` what the cloud has confirmed of devices,
 * `edge_token` the tokens of service accounts, `edge_copy` answers of the cloud that MetaServer keeps, `edge_document` what the cluster
 * says of itself (discovery, OpenAPI) by path, with its entity tag; times in Unix ms.
 */
export const metaStoreDomain: StoreDomain = {
  name: 'meta',
  tables: [
    {
      name: 'meta',
      columns: {
        key: { type: 'text', primary: true },
        type: { type: 'text' },
        uid: { type: 'text' },
        resourceversion: { type: 'text' },
        value: { type: 'text' },
      },
      indices: [{ name: 'meta_type', columns: ['type'] }],
    },
    {
      name: 'edge_token',
      columns: {
        key: { type: 'text', primary: true },
        pod: { type: 'text' },
        token: { type: 'text' },
        received: { type: 'integer' },
        lifetime: { type: 'integer' },
        expires: { type: 'integer' },
      },
    },
    { name: 'edge_fact', columns: { name: { type: 'text', primary: true }, value: { type: 'text' } } },
    {
      name: 'edge_copy',
      columns: {
        key: { type: 'text', primary: true },
        answer: { type: 'text' },
        received: { type: 'integer' },
      },
    },
    {
      name: 'edge_document',
      columns: {
        path: { type: 'text', primary: true },
        tag: { type: 'text' },
        text: { type: 'text' },
        received: { type: 'integer' },
      },
    },
    {
      name: 'edge_confirmed',
      columns: {
        device: { type: 'text', primary: true },
        state: { type: 'text' },
        twin: { type: 'text' },
        refusals: { type: 'text' },
      },
    },
  ],
  migrations: [
    {
      name: '0100-meta-tables',
      up: [
        'CREATE TABLE "meta" ("key" text PRIMARY KEY NOT NULL, "type" text NOT NULL, "uid" text NOT NULL, "resourceversion" text NOT NULL, "value" text NOT NULL)',
        'CREATE INDEX "meta_type" ON "meta" ("type")',
        'CREATE TABLE "edge_fact" ("name" text PRIMARY KEY NOT NULL, "value" text NOT NULL)',
      ],
    },
    {
      name: '0101-edge-confirmed',
      up: [
        'CREATE TABLE "edge_confirmed" ("device" text PRIMARY KEY NOT NULL, "state" text NOT NULL, "twin" text NOT NULL, "refusals" text NOT NULL)',
      ],
    },
    {
      name: '0102-edge-tokens',
      up: [
        'CREATE TABLE "edge_token" ("key" text PRIMARY KEY NOT NULL, "pod" text NOT NULL, "token" text NOT NULL, "received" integer NOT NULL, "lifetime" integer NOT NULL, "expires" integer NOT NULL)',
      ],
    },
    {
      name: '0103-edge-copies',
      up: [
        'CREATE TABLE "edge_copy" ("key" text PRIMARY KEY NOT NULL, "answer" text NOT NULL, "received" integer NOT NULL)',
      ],
    },
    {
      name: '0104-edge-documents',
      up: [
        'CREATE TABLE "edge_document" ("path" text PRIMARY KEY NOT NULL, "tag" text NOT NULL, "text" text NOT NULL, "received" integer NOT NULL)',
      ],
    },
  ],
  statements: {
    all: 'SELECT key, type, uid, resourceversion, value FROM meta',
    put: 'INSERT INTO meta (key, type, uid, resourceversion, value) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET type = excluded.type, uid = excluded.uid, resourceversion = excluded.resourceversion, value = excluded.value',
    remove: 'DELETE FROM meta WHERE key = ?',
    clear: 'DELETE FROM meta',
    nodes: "SELECT key FROM meta WHERE type = 'node'",
    marks: 'SELECT device, state, twin, refusals FROM edge_confirmed',
    mark: 'INSERT INTO edge_confirmed (device, state, twin, refusals) VALUES (?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET state = excluded.state, twin = excluded.twin, refusals = excluded.refusals',
    unmarkAll: 'DELETE FROM edge_confirmed',
    unmark: 'DELETE FROM edge_confirmed WHERE device = ?',
    fact: 'SELECT value FROM edge_fact WHERE name = ?',
    forgetFact: 'DELETE FROM edge_fact WHERE name = ?',
    tokens: 'SELECT key, pod, token, received, lifetime, expires FROM edge_token',
    putToken:
      'INSERT INTO edge_token (key, pod, token, received, lifetime, expires) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET pod = excluded.pod, token = excluded.token, received = excluded.received, lifetime = excluded.lifetime, expires = excluded.expires',
    removeToken: 'DELETE FROM edge_token WHERE key = ?',
    clearTokens: 'DELETE FROM edge_token',
    copies: 'SELECT key, answer, received FROM edge_copy ORDER BY received',
    putCopy:
      'INSERT INTO edge_copy (key, answer, received) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET answer = excluded.answer, received = excluded.received',
    removeCopy: 'DELETE FROM edge_copy WHERE key = ?',
    clearCopies: 'DELETE FROM edge_copy',
    documents: 'SELECT path, tag, length(text) AS bytes FROM edge_document ORDER BY received',
    document: 'SELECT text FROM edge_document WHERE path = ?',
    putDocument:
      'INSERT INTO edge_document (path, tag, text, received) VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET tag = excluded.tag, text = excluded.text, received = excluded.received',
    removeDocument: 'DELETE FROM edge_document WHERE path = ?',
    clearDocuments: 'DELETE FROM edge_document',
    setFact:
      'INSERT INTO edge_fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  },
}

/** One object as the edge holds it. */
export interface MetaRow {
  readonly key: string
  readonly type: string
  readonly uid: string
  readonly resourceVersion: string
  /** JSON text. */
  readonly value: string
}

export function putCall(row: MetaRow): StoreCall {
  return { statement: 'meta.put', parameters: [row.key, row.type, row.uid, row.resourceVersion, row.value] }
}

export function removeCall(key: string): StoreCall {
  return { statement: 'meta.remove', parameters: [key] }
}

export function metaRow(row: Row): MetaRow {
  const text = (name: string) => String(row[name] ?? '')
  return {
    key: text('key'),
    type: text('type'),
    uid: text('uid'),
    resourceVersion: text('resourceversion'),
    value: text('value'),
  }
}
