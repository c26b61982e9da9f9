import { DEVICE_STATES, type DeviceState, type Twin } from '../../schemas/index.ts'

/** A state as clients write it, in any case; undefined for any other text. */
export function parseState(text: string): DeviceState | undefined {
  const lower = text.toLowerCase()
  return DEVICE_STATES.find((state) => state === lower)
}

export function isOnline(state: DeviceState): boolean {
  return state === 'online' || state === 'ok'
}

interface StateChange {
  readonly state: DeviceState
  readonly text?: string
  readonly reason?: string
  readonly code?: string
}

/** The device's link has this state now. The same twin when nothing changes. */
export function applyState(twin: Twin, { state, text = state, reason, code }: StateChange, now: number): Twin {
  const isSame = twin.state === state && (twin.stateText ?? twin.state) === text
  if (isSame && twin.stateReason === reason && twin.stateCode === code) return twin
  const { stateReason: _reason, stateCode: _code, stateText: _text, lastOnlineTime, ...rest } = twin
  // It was online until now, or is so from now on.
  const seen = isOnline(state) || isOnline(twin.state) ? toRfc3339(now) : lastOnlineTime
  return {
    ...rest,
    state,
    ...(text === state ? {} : { stateText: text }),
    ...(reason === undefined ? {} : { stateReason: reason }),
    ...(code === undefined ? {} : { stateCode: code }),
    ...(seen === undefined ? {} : { lastOnlineTime: seen }),
    revision: twin.revision + 1,
  }
}

/** UTC, whole seconds. */
export function toRfc3339(unixMs: number): string {
  return new Date(unixMs).toISOString().replace(/\.\d+Z$/, 'Z')
}
