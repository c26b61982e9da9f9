import type { AccessMode, JsonObject, PropertyType, PropertyValue } from '../../schemas/index.ts'
import type { Mapper } from '../contract/index.ts'

/** A mapper, and all that the conformance suite needs to try it. What is left out is told as "not applicable". */
export interface ConformanceSubject<
  Device,
  Visitor,
  Connection extends AsyncDisposable,
  Server extends ConformanceServer = ConformanceServer,
> {
  readonly mapper: Mapper<Device, Visitor, Connection>
  /** The module whose default export the mapper is, e.g. `import.meta.resolve('./index.js')`: importing it has to do nothing. */
  readonly entry?: string | URL
  /** Starts the peer: a real server of the protocol in this process, on a free port. Each check has its own. */
  server(): Promise<Server>
  /** `protocol.configData` of a device on that server; 0 and 1 are different devices. */
  device(server: Server, index: 0 | 1): JsonObject
  /**
   * `shared` (default): devices 0 and 1 are behind one link. `own`: each has its own. `none`: nothing stays open between two calls,
   * as with HTTP.
   */
  readonly links?: 'shared' | 'own' | 'none'
  /** True where only one connection at a time can be open, as on a serial port. */
  readonly isExclusive?: boolean
  readonly cases: ConformanceCases<Server>
}

/** A real server of the protocol in this process, whose faults can be scripted. */
export interface ConformanceServer extends AsyncDisposable {
  /** Links that are open just now. */
  readonly connections: number
  /** Requests that arrived, answered or not. */
  readonly requests: number
  /** Takes requests and answers none. */
  silence(): void
  /** Takes back silence and every other fault. */
  resume(): Promise<void>
  /** Ends every link; new ones are welcome. */
  drop(): void
  /** Takes requests and answers them only when `resume` is called: late. */
  hold?(): void
  /** Answers every request with bytes that make no sense. */
  garble?(): void
  /** One of the two devices does not answer any more, as if it were switched off; the link stays and the other device answers. */
  silenceDevice?(index: 0 | 1): void
  /** As `silenceDevice`, but the answers are sent when `resume` is called: late. */
  holdDevice?(index: 0 | 1): void
}

/** One property as a manifest declares it. */
export interface ConformanceProperty {
  readonly type: PropertyType
  /** Default ReadWrite. */
  readonly accessMode?: AccessMode
  readonly visitor: JsonObject
}

export interface ConformanceCases<Server extends ConformanceServer = ConformanceServer> {
  /** Values that device 0 holds from the start of the server, as the mapper gives them. */
  readonly readable: readonly (ConformanceProperty & {
    readonly value: PropertyValue
    /** What device 1 holds there; default: the same. Say it at least once, or mixed up devices are not found. */
    readonly second?: PropertyValue
  })[]
  /** Can be written with this value, and read back. */
  readonly writable?: ConformanceProperty & { readonly value: PropertyValue }
  /** Is answered with an error by the server, alone. */
  readonly broken?: ConformanceProperty
  /** Is answered with an error when it is written. */
  readonly unwritable?: ConformanceProperty & { readonly value: PropertyValue }
  /** A visitor that must be refused before any connection. */
  readonly refused?: ConformanceProperty
  /** A `protocol.configData` that must be refused before any connection. */
  readonly refusedDevice?: JsonObject
  /** One of a thousand different properties that the server holds. Say the value, or swapped ones are not found. */
  many?(index: number): ConformanceProperty & { readonly value?: PropertyValue }
  /** Changes by itself, for mappers that watch. */
  readonly watchable?: ConformanceProperty & {
    /** After `change`. */
    readonly next: PropertyValue
    /** Makes the property of device 0 take on `next`. */
    change(server: Server): PromiseLike<void> | void
  }
  /** Can be called. */
  readonly callable?: ConformanceProperty & {
    readonly arguments: readonly PropertyValue[]
    readonly result: readonly PropertyValue[]
  }
}

/** Identity; for JavaScript authors it gives completion and checks. */
export function defineSubject<
  Device,
  Visitor,
  Connection extends AsyncDisposable,
  Server extends ConformanceServer = ConformanceServer,
>(
  subject: ConformanceSubject<Device, Visitor, Connection, Server>,
): ConformanceSubject<Device, Visitor, Connection, Server> {
  return subject
}
