import fs from 'node:fs'

/**
 * Loaded into the process of a played pod before anything else: its service account is where a kubelet would have mounted it.
 * Clients of Kubernetes know that place by heart, and only privileged programs can mount something there.
 */
const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
const given = process.env['SKERRY_TEST_SERVICE_ACCOUNT'] ?? MOUNT
const { accessSync, readFileSync } = fs

for (const read of [accessSync, readFileSync]) {
  Reflect.set(fs, read.name, (path: unknown, ...more: readonly unknown[]) =>
    Reflect.apply(read, fs, [typeof path === 'string' ? path.replace(MOUNT, given) : path, ...more]),
  )
}
