import type { PortError } from '../lifecycle/pack-error.ts'

/** What travels on the MessagePort between a bus and its extension in a worker; both directions use one set. */
export type PortMessage =
  | { readonly type: 'publish'; readonly channel: string; readonly message: unknown }
  | { readonly type: 'subscribe' | 'unsubscribe' | 'serve' | 'unserve'; readonly channel: string }
  | { readonly type: 'watch'; readonly id: number; readonly channel: string }
  | { readonly type: 'unwatch'; readonly id: number }
  /** Everything that a watched channel holds, once, before its changes. */
  | { readonly type: 'listing'; readonly id: number; readonly entries: readonly (readonly [string, unknown])[] }
  | { readonly type: 'change'; readonly id: number; readonly key: string; readonly value: unknown }
  | { readonly type: 'gone'; readonly id: number; readonly key: string }
  | { readonly type: 'set'; readonly channel: string; readonly key: string; readonly value: unknown }
  | { readonly type: 'remove'; readonly channel: string; readonly key: string }
  | {
      readonly type: 'request'
      readonly id: number
      readonly channel: string
      readonly question: unknown
      readonly milliseconds: number
    }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: PortError }
  /** So many messages were taken since the last of these. */
  | { readonly type: 'taken'; readonly count: number }

/** Both ends are this program in one version, so that the type alone tells the rest. */
export function isPortMessage(value: unknown): value is PortMessage {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
