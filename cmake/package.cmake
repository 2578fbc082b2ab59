# cmake --install, find_package(ptq_eval), and the .deb of CPack.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The library as a whole.
add_library(ptq_ptq INTERFACE)
target_link_libraries(ptq_ptq INTERFACE ptq_workflow)
set_target_properties(ptq_ptq PROPERTIES EXPORT_NAME ptq)
add_library(ptq::ptq ALIAS ptq_ptq)

set(ptq_rooms base ir quant import runtime data export backends passes eval models workflow)
foreach(room IN LISTS ptq_rooms)
  set_target_properties(ptq_${room} PROPERTIES EXPORT_NAME ${room})
  list(APPEND ptq_room_targets ptq_${room})
endforeach()

install(TARGETS ptq_ptq ${ptq_room_targets} ptq_torch ptq_dnnl ptq_image_codecs ptq_onnx
        EXPORT ptq_evalTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/ptq_eval)
install(EXPORT ptq_evalTargets NAMESPACE ptq:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ptq_eval)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(cmake/ptq_evalConfig.cmake.in ptq_evalConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ptq_eval)
write_basic_package_version_file(ptq_evalConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ptq_evalConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/ptq_evalConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ptq_eval)

# Programs, and what is generated from the table of options.
install(TARGETS ptq_imagenet_val ptq_benchmark ptq_compare extract_fashion_mnist)
set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
add_custom_command(
  OUTPUT ${generated}/ptq_imagenet_val.1 ${generated}/ptq_imagenet_val.bash
  COMMAND ${CMAKE_COMMAND} -E make_directory ${generated}
  COMMAND write_program_pages ${generated}
  DEPENDS write_program_pages)
add_custom_target(program_pages ALL DEPENDS ${generated}/ptq_imagenet_val.1 ${generated}/ptq_imagenet_val.bash)
install(FILES ${generated}/ptq_imagenet_val.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${generated}/ptq_imagenet_val.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME ptq_imagenet_val)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ptq-eval)
set(CPACK_PACKAGE_CONTACT "the authors of ptq-eval")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Measures what post-training quantization does to image classifiers")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libtorch-dev, libdnnl-dev, libonnx-dev, libopencv-imgcodecs-dev")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
include(CPack)
