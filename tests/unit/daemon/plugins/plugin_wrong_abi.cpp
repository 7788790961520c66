// A plugin of another age: nothing but the version may be read, or the test crashes.
struct OldInfo {
  const char* abi;
  void* types;
};

extern "C" const OldInfo* agentd_plugin_v1() {
  static int trap = 0;
  static const OldInfo info{"agentd-0.0", &trap};
  return &info;
}
