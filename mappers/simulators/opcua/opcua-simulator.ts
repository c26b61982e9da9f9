import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Simulator, SimulatorOptions } from '../simulator.ts'
import { certificateIn } from './certificate.ts'
import { DeviceNodes } from './device-nodes.ts'
import { FaultProxy } from './fault-proxy.ts'
import { fingerprintOf } from './fingerprint.ts'
import { type OpcuaServer, startOpcuaServer } from './opcua-server.ts'

/**
 * Devices on a real OPC UA server with all security policies. Its certificate stays in the folder, where it is given one; the
 * configuration of a device names its fingerprint, so that nobody has to decide about it.
 */
export function createOpcuaSimulator(options: SimulatorOptions): Simulator {
  const { host, device, neighbours = [], clock } = options
  const proxy = new FaultProxy(options)
  let running: { readonly server: OpcuaServer; readonly fingerprint: string; close(): Promise<void> } | undefined
  const serving = () => {
    if (!running) throw new Error('the simulator is not running')
    return running
  }
  const urlOf = () => `opc.tcp://${host.includes(':') ? `[${host}]` : host}:${proxy.port}`
  return {
    name: device.name,
    get url() {
      serving()
      return urlOf()
    },
    get configData() {
      return { url: urlOf(), fingerprint: serving().fingerprint }
    },
    get connections() {
      return proxy.connections
    },
    get requests() {
      return proxy.requests
    },
    async start() {
      if (running) return
      await proxy.start()
      const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'skerry-opcua-')))
      const applicationUri = `urn:${hostname()}:skerry:simulator:${device.name}`
      const addresses = /^[\d.]+$|:/.test(host) ? [host] : []
      const about = { applicationUri, name: device.name, addresses, notBefore: new Date(clock.now()) }
      const certificate = await certificateIn(folder, about)
      const nodes = new DeviceNodes([device, ...neighbours], clock)
      const ground = { host, name: device.name, applicationUri, certificate, advertised: urlOf() }
      const server = await startOpcuaServer({ ...ground, users: USERS, build: (space) => nodes.build(space) })
      proxy.leadTo(host, server.port)
      running = {
        server,
        fingerprint: fingerprintOf(certificate.certificate),
        close: async () => {
          nodes.stop()
          await proxy[Symbol.asyncDispose]()
          await server[Symbol.asyncDispose]()
          if (options.folder === undefined) await rm(folder, { recursive: true, force: true })
        },
      }
    },
    async close() {
      const before = running
      running = undefined
      await before?.close()
    },
    fault: (fault) => proxy.fault(fault),
  }
}

/** Whoever wants to try user names; anybody may be anonymous as well. */
const USERS = { operator: 'operator' }
