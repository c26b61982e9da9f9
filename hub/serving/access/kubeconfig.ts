import { stringify } from 'yaml'

export interface KubeconfigOptions {
  /** `https://127.0.0.1:6443` */
  readonly server: string
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string
  /** PEM of the client certificate and its key. */
  readonly cert: string
  readonly key: string
  /** Name of the user; default `admin`. */
  readonly user?: string
  /** Of commands that name none; default `default`. */
  readonly namespace?: string
}

/** The text of a kubeconfig with everything in it, for any kubectl or client library. */
export function kubeconfig({
  server,
  ca,
  cert,
  key,
  user = 'admin',
  namespace = 'default',
}: KubeconfigOptions): string {
  const base64 = (pem: string) => Buffer.from(pem).toString('base64')
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'skerry', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: user, user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) } }],
    contexts: [{ name: 'skerry', context: { cluster: 'skerry', user, namespace } }],
    'current-context': 'skerry',
  })
}
