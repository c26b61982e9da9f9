import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { UnavailableError } from '../../platform/lifecycle/index.ts'

const ModuleReport = Type.Object({
  name: Type.String(),
  state: Type.String(),
  /** Unix ms. */
  sinceMs: Type.Number(),
  pending: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
})

/** One process, and what it is made of. */
export const ProcessReport = Type.Object({
  name: Type.String(),
  /** ready, starting, restarting, stopping, stopped; `silent` where the process did not answer. */
  state: Type.String(),
  sinceMs: Type.Number(),
  pid: Type.Optional(Type.Number()),
  restarts: Type.Optional(Type.Number()),
  log: Type.Optional(Type.String()),
  modules: Type.Array(ModuleReport),
})
export type ProcessReport = Static<typeof ProcessReport>

/** Answer of `GET /status` on the control socket. */
export const StatusReport = Type.Object({
  version: Type.String(),
  processes: Type.Array(ProcessReport),
})
export type StatusReport = Static<typeof StatusReport>

export function parseStatusReport(value: unknown): StatusReport {
  if (Value.Check(StatusReport, value)) return value
  throw new UnavailableError('The running process answered in an unknown form: is it another version of skerry?', {
    code: 'PROCESS_STATUS_INVALID',
  })
}

/** Whether every process that somebody wants is up with all its modules. A part stopped by hand is not waited for. */
export function isReady(report: StatusReport): boolean {
  return report.processes.every(
    (each) =>
      each.state === 'stopped' || (each.state === 'ready' && each.modules.every((module) => module.state === 'ready')),
  )
}
