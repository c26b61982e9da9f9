import { stringify } from 'yaml'

/** How its user proves who he is. */
export type KubeconfigCredentials =
  /** PEM of the client certificate and its key. */
  { readonly cert: string; readonly key: string } | { readonly token: string }

export type KubeconfigOptions = KubeconfigCredentials & KubeconfigPlace

export interface KubeconfigPlace {
  /** `https://127.0.0.1:6443` */
  readonly server: string
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string
  /** Name of the user; default `admin`. */
  readonly user?: string
  /** Of commands that name none; default `default`. */
  readonly namespace?: string
}

/** The text of a kubeconfig with everything in it, for any kubectl or client library. */
export function kubeconfig(options: KubeconfigOptions): string {
  const { server, ca, user = 'admin', namespace = 'default' } = options
  const base64 = (pem: string) => Buffer.from(pem).toString('base64')
  const credentials =
    'token' in options
      ? { token: options.token }
      : { 'client-certificate-data': base64(options.cert), 'client-key-data': base64(options.key) }
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'skerry', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: 'skerry', context: { cluster: 'skerry', user, namespace } }],
    'current-context': 'skerry',
  })
}
