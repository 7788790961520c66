# What `cmake --install` gives to programs that use the SDK: headers, one archive for each of the two
# targets with all rooms in it, a CMake package and pkg-config files.

include(CMakePackageConfigHelpers)

# agentd_collect(TARGET ROOMS EXTERNALS): the rooms that TARGET is made of, and what else it links.
function(agentd_collect target rooms_name externals_name)
  set(found ${${rooms_name}})
  set(others ${${externals_name}})
  get_target_property(real ${target} ALIASED_TARGET)
  if(real)
    set(target ${real})
  endif()
  if(NOT target IN_LIST found)
    list(APPEND found ${target})
    get_target_property(links ${target} LINK_LIBRARIES)
    foreach(link IN LISTS links)
      if(link MATCHES "^agentd::")
        agentd_collect(${link} found others)
      elseif(TARGET ${link} AND NOT link STREQUAL "Boost::headers")
        list(APPEND others ${link})
      endif()
    endforeach()
  endif()
  list(REMOVE_DUPLICATES others)
  set(${rooms_name} ${found} PARENT_SCOPE)
  set(${externals_name} ${others} PARENT_SCOPE)
endfunction()

# agentd_archive(TARGET NAME): one archive libNAME.a of TARGET and all its rooms, installed.
# Sets NAME_externals.
function(agentd_archive target name)
  set(rooms)
  set(externals)
  agentd_collect(${target} rooms externals)
  set(script "create ${CMAKE_CURRENT_BINARY_DIR}/lib${name}.a\n")
  set(archives)
  foreach(room IN LISTS rooms)
    get_target_property(type ${room} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY")
      continue()
    endif()
    string(APPEND script "addlib $<TARGET_FILE:${room}>\n")
    list(APPEND archives $<TARGET_FILE:${room}>)
  endforeach()
  string(APPEND script "save\nend\n")
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.mri CONTENT "${script}")
  add_custom_command(OUTPUT lib${name}.a
    COMMAND ${CMAKE_COMMAND} -E rm -f ${CMAKE_CURRENT_BINARY_DIR}/lib${name}.a
    COMMAND ${CMAKE_AR} -M < ${CMAKE_CURRENT_BINARY_DIR}/${name}.mri
    DEPENDS ${rooms} ${archives} ${CMAKE_CURRENT_BINARY_DIR}/${name}.mri
    COMMENT "Putting the rooms of ${name} into one archive" VERBATIM)
  add_custom_target(${name}_archive ALL DEPENDS lib${name}.a)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/lib${name}.a DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
  set(${name}_externals ${externals} PARENT_SCOPE)
endfunction()

# The pkg-config modules of CMake targets.
function(agentd_pkg_modules externals result)
  set(modules)
  foreach(external IN LISTS externals)
    if(external STREQUAL "nlohmann_json::nlohmann_json")
      list(APPEND modules nlohmann_json)
    elseif(external STREQUAL "simdjson::simdjson")
      list(APPEND modules simdjson)
    elseif(external STREQUAL "OpenSSL::Crypto")
      list(APPEND modules libcrypto)
    elseif(external STREQUAL "OpenSSL::SSL")
      list(APPEND modules libssl)
    elseif(external MATCHES "^spdlog::")
      list(APPEND modules spdlog)
    elseif(NOT external STREQUAL "Threads::Threads")
      message(FATAL_ERROR "the installed SDK links ${external}: name its pkg-config module in install.cmake")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES modules)
  list(JOIN modules " " modules)
  set(${result} "${modules}" PARENT_SCOPE)
endfunction()

agentd_archive(agentd_client agentd-client)
agentd_archive(agentd_sdk agentd-sdk)
agentd_pkg_modules("${agentd-client_externals}" agentd_client_modules)
agentd_pkg_modules("${agentd-sdk_externals}" agentd_sdk_modules)

set(agentd_packages)
foreach(external IN LISTS agentd-sdk_externals)
  string(REGEX REPLACE "::.*" "" package ${external})
  list(APPEND agentd_packages ${package})
endforeach()
list(REMOVE_DUPLICATES agentd_packages)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/agentd)
configure_package_config_file(${CMAKE_CURRENT_SOURCE_DIR}/agentdConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/agentdConfig.cmake
  INSTALL_DESTINATION ${cmake_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/agentdConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
# So that the files stay right wherever the prefix is moved.
file(RELATIVE_PATH agentd_pc_up /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
foreach(module agentd agentd-client)
  configure_file(${module}.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${module}.pc @ONLY)
endforeach()

install(DIRECTORY ${CMAKE_SOURCE_DIR}/common/include/agentd ${CMAKE_CURRENT_SOURCE_DIR}/include/agentd
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk FILES_MATCHING PATTERN "*.hpp")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/agentdConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/agentdConfigVersion.cmake
  DESTINATION ${cmake_dir} COMPONENT sdk)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/agentd.pc ${CMAKE_CURRENT_BINARY_DIR}/agentd-client.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
