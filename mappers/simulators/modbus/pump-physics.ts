/** A pump motor: speed follows its target with inertia, temperature follows speed slowly, an alarm has hysteresis. */
export interface PumpState {
  /** rpm, 0 to 3000. */
  readonly targetSpeed: number
  readonly running: boolean
  /** rpm. */
  readonly speed: number
  /** degC. */
  readonly temperature: number
  readonly alarm: boolean
}

const AMBIENT = 20
const SPEED_SECONDS = 1.5
const TEMPERATURE_SECONDS = 30
const DEGREES_PER_RPM = 0.02
const ALARM_ON = 70
const ALARM_OFF = 65
const STEP_SECONDS = 0.25
/** After so long everything is where it is going. */
const SETTLED_SECONDS = 600

/** Switched on, told to stand still. */
export const RESTING_PUMP: PumpState = { targetSpeed: 0, running: true, speed: 0, temperature: AMBIENT, alarm: false }

/** The pump after so many seconds in which nobody touched it. */
export function advancePump(state: PumpState, seconds: number): PumpState {
  let left = Math.min(Math.max(seconds, 0), SETTLED_SECONDS)
  let now = state
  while (left > 0) {
    const step = Math.min(left, STEP_SECONDS)
    now = stepPump(now, step)
    left -= step
  }
  return now
}

function stepPump(state: PumpState, seconds: number): PumpState {
  const speed = approach(state.speed, state.running ? state.targetSpeed : 0, seconds / SPEED_SECONDS)
  const goal = AMBIENT + DEGREES_PER_RPM * ((state.speed + speed) / 2)
  const temperature = approach(state.temperature, goal, seconds / TEMPERATURE_SECONDS)
  const alarm = temperature > ALARM_ON || (state.alarm && temperature > ALARM_OFF)
  return { ...state, speed, temperature, alarm }
}

/** Exact for a first-order lag towards a constant goal, so that the length of the steps hardly matters. */
function approach(from: number, to: number, fraction: number): number {
  return to + (from - to) * Math.exp(-fraction)
}
