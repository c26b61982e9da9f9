import type { Duplex, Readable, Writable } from 'node:stream'
import type { Clock } from '../../platform/time/index.ts'

/**
 * Opens a connection on which one HTTP/1.1 request can be sent to whoever serves a kubelet's paths: a socket, a TLS socket or a
 * stream of a tunnel. Whoever called it closes it.
 */
export type Connect = (signal: AbortSignal) => Promise<Duplex>

export interface TerminalSize {
  readonly width: number
  readonly height: number
}

/** A command that is to run in a container, or a container that is to be attached to. */
export interface Command {
  readonly connect: Connect
  /** `/exec/NAMESPACE/POD/CONTAINER` or `/attach/NAMESPACE/POD/CONTAINER`, without a query. */
  readonly path: string
  /** Empty for an attachment. */
  readonly command: readonly string[]
  /** Read until it ends; its end is the end of the command's input. Absent: it has none. */
  readonly stdin?: Readable
  /** Written as fast as it takes it, never ended. Absent: nobody hears it. */
  readonly stdout?: Writable
  readonly stderr?: Writable
  /** A terminal has one output: what is written to both arrives at `stdout`. */
  readonly tty?: boolean
  /** Sizes of the terminal, as they come. */
  readonly resize?: AsyncIterable<TerminalSize>
  /** Of the request, such as a bearer token. */
  readonly headers?: Readonly<Record<string, string>>
  readonly clock: Clock
}

/**
 * Runs a command in a container; settles with its exit status when it has ended and all its output is written. Rejects with
 * RefusedError HUB_STREAM_REFUSED where the other side answers with an error (`fields.status`, `fields.reason`: its words),
 * HUB_STREAM_COMMAND where the command could not run (`fields.reason`), with UnavailableError HUB_STREAM_CUT_OFF where the
 * connection breaks, HUB_STREAM_SILENT where no answer comes in time, or with the signal's reason.
 */
export type Execute = (command: Command, signal: AbortSignal) => Promise<number>
