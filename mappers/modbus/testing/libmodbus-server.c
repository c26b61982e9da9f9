/* A Modbus TCP server of libmodbus for one client, on a free port of the loopback, which it prints. */
#include <modbus/modbus.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>

int main(void) {
  modbus_t *context = modbus_new_tcp("127.0.0.1", 0);
  /* Bits, input bits, registers, input registers. */
  modbus_mapping_t *mapping = modbus_mapping_new(100, 100, 300, 300);
  if (!context || !mapping) return 1;
  for (int i = 0; i < 300; i++) mapping->tab_registers[i] = 100 + i;
  for (int i = 0; i < 100; i++) mapping->tab_input_bits[i] = i % 3 == 0;
  uint16_t *input = mapping->tab_input_registers;
  /* Not by modbus_set_float_abcd: what that does differs from version to version. */
  float decimal = -1234.5f;
  int32_t bits;
  memcpy(&bits, &decimal, sizeof bits);
  MODBUS_SET_INT32_TO_INT16(input, 0, bits);
  int32_t small = -70000;
  int64_t large = -1234567890123456789LL;
  MODBUS_SET_INT32_TO_INT16(input, 8, small);
  MODBUS_SET_INT64_TO_INT16(input, 10, large);

  int listening = modbus_tcp_listen(context, 1);
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  if (listening < 0 || getsockname(listening, (struct sockaddr *)&address, &length) < 0) return 1;
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  if (modbus_tcp_accept(context, &listening) < 0) return 1;
  uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
  int received;
  while ((received = modbus_receive(context, request)) >= 0) {
    if (received > 0) modbus_reply(context, request, received, mapping);
  }
  modbus_mapping_free(mapping);
  modbus_close(context);
  modbus_free(context);
  return 0;
}
