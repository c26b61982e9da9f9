import { needs } from '../../../../tools/testing/needs.ts'

/** Reason to skip a test of volumes of pods, or false. */
export function needsLinux(): string | false {
  return process.platform === 'linux' ? false : 'containers are of Linux'
}

/** Reason to skip a test that mounts, or false. In CI it is not skipped. */
export function needsMounts(): string | false {
  if (needsLinux()) return needsLinux()
  if (process.env['CI'] !== 'true' && process.geteuid?.() !== 0) return 'needs root, to mount'
  return needs('mount', 'umount')
}
