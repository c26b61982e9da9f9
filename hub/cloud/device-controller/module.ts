import type { Module } from '../../../platform/lifecycle/index.ts'
import { DeviceController, type DeviceControllerPorts } from './controller.ts'

/** Serves at once; it begins to write when its informers have listed everything. */
export function createDeviceControllerModule(ports: DeviceControllerPorts): Module {
  return {
    name: 'DeviceController',
    async start(scope) {
      const controller = scope.use(new DeviceController(ports))
      scope.run((signal) => controller.run(signal))
    },
  }
}
