/** Where a system has its packages. */
export interface System {
  /** ID of /etc/os-release, such as `debian`. */
  readonly id: string
  /** ID_LIKE of it. */
  readonly like: readonly string[]
}

export function parseOsRelease(text: string): System {
  const value = (key: string) => new RegExp(`^${key}=["']?([^"'\\n]*)`, 'm').exec(text)?.[1] ?? ''
  return {
    id: value('ID'),
    like: value('ID_LIKE')
      .split(' ')
      .filter((name) => name !== ''),
  }
}

const DEBIAN = ['apt-get install -y containerd runc containernetworking-plugins', 'systemctl enable --now containerd']
const FEDORA = ['dnf install -y containerd runc containernetworking-plugins', 'systemctl enable --now containerd']
const ALPINE = [
  'apk add containerd containerd-openrc runc cni-plugins',
  'rc-update add cgroups && rc-service cgroups start',
  'rc-update add containerd && rc-service containerd start',
]

/** Commands that install containerd, as root. */
export function installCommands({ id, like }: System): readonly string[] | undefined {
  const names = [id, ...like]
  if (names.includes('debian') || names.includes('ubuntu')) return DEBIAN
  if (names.includes('fedora') || names.includes('rhel')) return FEDORA
  return names.includes('alpine') ? ALPINE : undefined
}

/** Where the packages of a system put network plugins. */
export function pluginFolder({ id, like }: System): string {
  const names = [id, ...like]
  if (names.includes('debian') || names.includes('ubuntu')) return '/usr/lib/cni'
  return names.includes('fedora') || names.includes('rhel') ? '/usr/libexec/cni' : '/opt/cni/bin'
}

/** A network for the pods of one node. */
export const SAMPLE_NETWORK = `/etc/cni/net.d/10-skerry.conflist:
{ "cniVersion": "1.0.0", "name": "pods", "plugins": [
  { "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
    "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.88.0.0/16" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
  { "type": "portmap", "capabilities": { "portMappings": true } } ] }`

export const GUIDE = 'docs/how-to/install-a-container-runtime.md'
