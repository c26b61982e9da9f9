import type { DeviceId } from '../device/index.ts'
import type { Quality } from './twin.ts'

/**
 * INT within 2^53, FLOAT and DOUBLE are numbers, BOOLEAN is true or false; everything else is text, and so is a larger INT,
 * which keeps every digit.
 */
export type PlainValue = string | number | boolean

/** `twins/<namespace>/<device>`: a twin for people and dashboards. All times are RFC 3339 UTC with milliseconds. */
export interface PlainTwin {
  readonly device: DeviceId
  readonly namespace: string
  readonly name: string
  readonly state: string
  readonly stateReason?: string
  readonly lastOnlineTime?: string
  readonly properties: Readonly<Record<string, PlainProperty>>
}

export interface PlainProperty {
  /** What the device said; absent until it has. */
  readonly value?: PlainValue
  readonly desired?: PlainValue
  readonly type: string
  readonly unit?: string
  /** When the twin took the value. */
  readonly timestamp?: string
  /** When the source measured it. */
  readonly sourceTime?: string
  readonly quality?: Quality
  readonly cause?: string
  /** The value is older than its time to live. */
  readonly stale?: true
  readonly staleSince?: string
  /** Who wrote the desired value last. */
  readonly origin?: 'cloud' | 'edge'
  readonly author?: string
  readonly conflict?: PlainConflict
  /** Why the desired value is not on the device. */
  readonly failure?: { readonly reason: string; readonly message: string; readonly timestamp: string }
}

/** `twins/<namespace>/<device>/<property>/conflict`: what two sides wanted at once. */
export interface PlainConflict {
  readonly id: string
  readonly winner: 'cloud' | 'edge'
  readonly policy: string
  readonly cloud: PlainWish & { readonly generation: number }
  readonly edge: PlainWish
}

export interface PlainWish {
  readonly value: PlainValue
  readonly timestamp: string
  readonly author: string
}

/** `.../<property>/set/result` */
export type PlainSetResult =
  | { readonly ok: true; readonly value: PlainValue; readonly time: string; readonly event: string }
  | {
      readonly ok: false
      /** 400, 404 or 500, as in MsgError. */
      readonly code: number
      readonly reason: string
      /** What was asked, where it is short text. */
      readonly value?: string
      readonly time: string
      readonly event: string
    }
