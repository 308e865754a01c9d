# Python's headers and file names for the target of a cross-compiler, after find_package(Python) has found the host's:
# the host's headers (the limited API is one for all) with this folder's pyconfig.h in place of the host's. Python.h includes
# "pyconfig.h" from its own folder first, so the headers are copied.
set(Python_SOABI "${SKBUILD_SOABI}")
set(headers ${CMAKE_CURRENT_BINARY_DIR}/python)
file(REMOVE_RECURSE ${headers})
foreach(folder IN LISTS Python_INCLUDE_DIRS)
  file(COPY ${folder}/ DESTINATION ${headers})
endforeach()
file(COPY ${CMAKE_CURRENT_LIST_DIR}/python/pyconfig.h DESTINATION ${headers})
foreach(target Python::Module Python::SABIModule)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${headers})
  endif()
endforeach()
