import { createRequire } from 'node:module'
import type { SerialSettings } from './settings.ts'

/** The native part of `serialport`: descriptors of ports that are set up and locked. */
export interface SerialBinding {
  /** Rejects with what the system said. The caller closes the descriptor, with `close` alone. */
  open(settings: SerialSettings, isLocked: boolean): Promise<number>
  close(descriptor: number): Promise<void>
}

/**
 * Only opening is taken from the package. Its streams wait for bytes on the loop of the main thread, so that they end the
 * process with an abort when a worker thread has a port open; and they read on for ever where a port says that it is hung up.
 */
export function loadSerialBinding(): SerialBinding {
  const fromHere = createRequire(import.meta.url)
  const fromPackage = createRequire(fromHere.resolve('serialport'))
  const loaded: unknown = fromPackage('@serialport/bindings-cpp/dist/load-bindings.js')
  const open = isRecord(loaded) ? loaded['asyncOpen'] : undefined
  const close = isRecord(loaded) ? loaded['asyncClose'] : undefined
  if (!isFunction(open) || !isFunction(close))
    throw new Error('the package serialport has no binding for this platform')
  return {
    async open(settings, isLocked) {
      const descriptor = await open(settings.path, { ...ports(settings), lock: isLocked })
      if (typeof descriptor !== 'number') throw new Error('the package serialport opened no port')
      return descriptor
    },
    async close(descriptor) {
      await close(descriptor)
    },
  }
}

function ports({ baudRate, dataBits, parity, stopBits, flowControl }: SerialSettings) {
  const isSoftware = flowControl === 'software'
  return {
    ...{ baudRate, dataBits, parity, stopBits, vmin: 1, vtime: 0, hupcl: true, rtsMode: 'handshake' },
    ...{ rtscts: flowControl === 'hardware', xon: isSoftware, xoff: isSoftware, xany: false },
  }
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}

function isFunction(value: unknown): value is (...values: readonly unknown[]) => Promise<unknown> {
  return typeof value === 'function'
}
