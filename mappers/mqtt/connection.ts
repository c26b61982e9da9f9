import type { Reading, Report, Results } from '../contract/index.ts'
import { readAll } from './read.ts'
import type { Session } from './session.ts'
import type { MqttOrder, MqttVisit } from './visits.ts'
import { watchDevice } from './watch.ts'
import { writeAll } from './write.ts'

/** A client of one broker, for all devices that share it. */
export class MqttConnection implements AsyncDisposable {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  read(visits: readonly MqttVisit[], signal: AbortSignal): Promise<Results<Reading>> {
    return readAll(this.#session, visits, signal)
  }

  write(orders: readonly MqttOrder[], signal: AbortSignal): Promise<Results<void>> {
    return writeAll(this.#session, orders, signal)
  }

  watch(visits: readonly MqttVisit[], report: Report, signal: AbortSignal): Promise<void> {
    return watchDevice(this.#session, visits, report, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.client[Symbol.asyncDispose]()
  }
}
