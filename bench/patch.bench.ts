import { readFile } from 'node:fs/promises'
import modbusSerial from 'modbus-serial'
import { eventually } from '../runtime/process/testing/run.ts'
import { type RunningUp, removeDirectory, startUp, temporaryDirectory } from '../runtime/process/testing/up.ts'
import { callKubernetes, parseKubeAccess } from '../runtime/process/up/kubernetes-apply.ts'

/**
 * From a changed desired value in Kubernetes to the Modbus register of the pump: once through kubectl (a process per patch)
 * and once through one HTTPS request, each beside the floor of its own kind in the same run.
 */
const ROUNDS = 30

type Modbus = InstanceType<typeof modbusSerial.default>

const directory = await temporaryDirectory()
const up = await startUp(directory)
try {
  const { hostname, port } = new URL(up.endpoints.simulators?.['pump'] ?? '')
  const modbus = new modbusSerial.default()
  await modbus.connectTCP(hostname, { port: Number(port) })
  modbus.setID(1)
  await measure(up, modbus)
  modbus.close(() => undefined)
} finally {
  await up.stop()
  await removeDirectory(directory)
}

async function measure(up: RunningUp, modbus: Modbus): Promise<void> {
  const access = parseKubeAccess(await readFile(up.endpoints.kubeconfig ?? '', 'utf8'))
  const device = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices/pump-1'
  const patch = (value: number) => [{ op: 'add', path: '/spec/properties/0/desired', value: { value: String(value) } }]
  const merge = async (value: number) => {
    const found = await callKubernetes(access, 'GET', device)
    const spec = specOf(found.body)
    const properties = spec.properties.map((each, index) =>
      index === 0 ? { ...each, desired: { value: String(value) } } : each,
    )
    return callKubernetes(access, 'PATCH', device, { spec: { properties } })
  }
  let value = 100
  const next = () => {
    value = value >= 2900 ? 100 : value + 7
    return value
  }
  await eventually('the first value arrives', async () => {
    await merge(next())
    await reached(modbus, value, 5000)
    return true
  })

  const kubectlFloor = await repeat(() => up.kubectl('get', '--raw', device).then(() => undefined))
  const kubectlPatch = await repeat(() =>
    up.kubectl('patch', 'device', 'pump-1', '--type=json', '-p', JSON.stringify(patch(next()))).then(() => undefined),
  )
  const kubectlToRegister = await repeat(async () => {
    const wanted = next()
    const patched = up.kubectl('patch', 'device', 'pump-1', '--type=json', '-p', JSON.stringify(patch(wanted)))
    await reached(modbus, wanted, 10_000)
    await patched
  })
  const request = await repeat(() => callKubernetes(access, 'GET', device).then(() => undefined))
  const requestPatch = await repeat(() => merge(next()).then(() => undefined))
  const requestToRegister = await repeat(async () => {
    const wanted = next()
    const patched = merge(wanted)
    await reached(modbus, wanted, 10_000)
    await patched
  })
  row('kubectl get --raw (floor)', kubectlFloor)
  row('kubectl patch', kubectlPatch, kubectlFloor, 'kubectl get')
  row('kubectl patch to register', kubectlToRegister, kubectlPatch, 'kubectl patch alone')
  row('HTTPS GET (floor)', request)
  row('HTTPS GET and PATCH', requestPatch, request, 'GET')
  row('HTTPS GET and PATCH to register', requestToRegister, requestPatch, 'GET and PATCH alone')
}

async function reached(modbus: Modbus, wanted: number, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs
  while (performance.now() < end) {
    const { data } = await modbus.readHoldingRegisters(0, 1)
    if (data[0] === wanted) return
  }
  throw new Error(`the register did not become ${wanted} within ${withinMs} ms`)
}

async function repeat(work: () => Promise<void>): Promise<readonly number[]> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    await work()
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)
}

function row(name: string, times: readonly number[], floor?: readonly number[], floorName?: string): void {
  const p = (share: number, of: readonly number[]) =>
    of[Math.min(of.length - 1, Math.floor(of.length * share))] ?? Number.NaN
  const ratio = floor ? `  ${(p(0.5, times) / p(0.5, floor)).toFixed(2)} x ${floorName}` : ''
  process.stdout.write(
    `${name.padEnd(34)} p50 ${p(0.5, times).toFixed(1).padStart(7)} ms  p99 ${p(0.99, times).toFixed(1).padStart(7)} ms${ratio}\n`,
  )
}

function specOf(body: unknown): { readonly properties: readonly object[] } {
  const spec = typeof body === 'object' && body !== null && 'spec' in body ? body.spec : undefined
  const properties = typeof spec === 'object' && spec !== null && 'properties' in spec ? spec.properties : undefined
  return { properties: Array.isArray(properties) ? properties : [] }
}
