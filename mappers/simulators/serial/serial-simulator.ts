import { ms, seconds } from '../../../platform/time/index.ts'
import { encodeFrame } from '../../bluetooth-serial/framing/content.ts'
import { FrameDecoder } from '../../bluetooth-serial/framing/frame-decoder.ts'
import { FaultyAnswers } from '../faults/faulty-answers.ts'
import type { Simulator, SimulatorOptions } from '../simulator.ts'
import { openPty, type Pty } from './pty.ts'
import { linkPty } from './pty-link.ts'
import { SpeakingDevice } from './serial-device.ts'

/** How often a device tells what it is not asked for. */
const UNASKED = seconds(1)

/** Devices on a serial line, which is a pseudo-terminal: they speak the framing and the visitors of their model. */
export function createSerialSimulator(options: SimulatorOptions): Simulator {
  const line = new SimulatedLine(options)
  return {
    name: options.device.name,
    get url() {
      return `file://${line.path}`
    },
    get configData() {
      return { path: line.path }
    },
    get connections() {
      return line.connections
    },
    get requests() {
      return line.requests
    },
    start: () => line.plug(),
    close: () => line.unplug(),
    fault: (fault) => line.fault(fault),
  }
}

class SimulatedLine {
  readonly #options: SimulatorOptions
  readonly #devices: readonly SpeakingDevice[]
  readonly #answers: FaultyAnswers
  #pty: Pty | undefined
  #link: AsyncDisposable | undefined
  #timer: Disposable | undefined
  requests = 0

  constructor(options: SimulatorOptions) {
    this.#options = options
    this.#answers = new FaultyAnswers(options.clock, options.random)
    this.#devices = [options.device, ...(options.neighbours ?? [])].map((device) => new SpeakingDevice(device))
  }

  get path(): string {
    const path = this.#options.path ?? this.#pty?.path
    if (path === undefined) throw new Error('the simulator is not running')
    return path
  }

  get connections(): number {
    return this.#pty?.isOpen ? 1 : 0
  }

  async plug(): Promise<void> {
    if (this.#pty) return
    const { clock, path } = this.#options
    const pty = await openPty({ clock })
    this.#pty = pty
    try {
      if (path !== undefined) this.#link = await linkPty(path, pty.path)
    } catch (error) {
      await this.unplug()
      throw error
    }
    const hearing = this.#devices.map((device) => this.#hear(device, pty))
    pty.listen((bytes) => {
      for (const hear of hearing) hear(bytes)
    })
    this.#tellUnasked()
  }

  async unplug(): Promise<void> {
    const [pty, link] = [this.#pty, this.#link]
    this.#pty = undefined
    this.#link = undefined
    this.#timer?.[Symbol.dispose]()
    await link?.[Symbol.asyncDispose]()
    await pty?.close()
  }

  async fault(fault: FaultyAnswers['current']): Promise<void> {
    this.#answers.current = fault
    if (fault?.kind === 'disconnect') await this.unplug()
    else await this.plug()
  }

  /** Each device looks at all bytes, in its own framing. */
  #hear(device: SpeakingDevice, pty: Pty): (bytes: Buffer) => void {
    const { requestFraming } = device.config
    const decoder = new FrameDecoder(requestFraming)
    let pauses = 0
    const take = (payloads: readonly Buffer[]) => {
      for (const payload of payloads) this.#request(device, payload, pty)
    }
    return (bytes) => {
      take(decoder.push(bytes))
      const mine = ++pauses
      if (requestFraming.silence === undefined || !decoder.isMidFrame) return
      this.#options.clock.after(ms(requestFraming.silence), () => {
        if (mine === pauses) take(decoder.pause())
      })
    }
  }

  #request(device: SpeakingDevice, payload: Buffer, pty: Pty): void {
    const answer = device.answer(payload)
    // On a line of several, what one does not know is for another.
    const isLost = answer === undefined && this.#devices.length === 1
    if (!answer && !isLost) return
    this.requests++
    for (const each of answer ?? (device.refusal ? [device.refusal] : [])) this.#send(device, each, pty)
  }

  #send(device: SpeakingDevice, payload: Buffer, pty: Pty): void {
    this.#answers.send(encodeFrame(payload, device.config.framing), (bytes) => void pty.send(bytes))
  }

  #tellUnasked(): void {
    const pty = this.#pty
    if (!pty) return
    this.#timer = this.#options.clock.after(UNASKED, () => {
      for (const device of this.#devices) for (const payload of device.unasked()) this.#send(device, payload, pty)
      this.#tellUnasked()
    })
  }
}
