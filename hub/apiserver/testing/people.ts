import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPair, pemOf } from '../../../platform/certificates/index.ts'
import { loadAuthority } from '../../../platform/certificates/issuing/index.ts'
import { minutes, systemClock } from '../../../platform/time/index.ts'
import { kubeconfig } from '../index.ts'
import type { ServedApi } from './serve.ts'

/** The same API as somebody else sees it, with a kubeconfig and a home of his own. */
export type Person = ServedApi

/** Somebody with a certificate of the API's authority. */
export async function asPerson(api: ServedApi, name: string, groups: readonly string[]): Promise<Person> {
  const folder = join(api.directory, 'pki', 'kubernetes')
  const authority = loadAuthority({
    certificate: await readFile(join(folder, 'ca.crt'), 'utf8'),
    privateKey: await readFile(join(folder, 'ca.key'), 'utf8'),
  })
  const keyPair = await generateKeyPair()
  const now = systemClock.now()
  const issued = await authority.issue({
    publicKey: keyPair.publicKeyDer,
    subject: { commonName: name, organizations: groups },
    usages: ['clientAuth'],
    notBefore: new Date(now - minutes(1).milliseconds),
    notAfter: new Date(now + minutes(30).milliseconds),
  })
  const certificate = pemOf(issued, 'CERTIFICATE')
  const directory = join(api.directory, 'people', name)
  await mkdir(directory, { recursive: true })
  const file = join(directory, 'kubeconfig')
  const access = { ca: api.pki.ca, cert: certificate, key: keyPair.privateKeyPem, user: name }
  await writeFile(file, kubeconfig({ server: api.url, ...access }), { mode: 0o600 })
  return {
    ...api,
    directory,
    kubeconfig: file,
    pki: { ...api.pki, admin: { certificate, privateKey: keyPair.privateKeyPem } },
  }
}
